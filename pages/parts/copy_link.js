// A button that copies the address of the page as it is now, and the way to the top for whoever arrives. Both need the
// browser: the server does not know what the address will be after the page is drawn, nor how far somebody has scrolled.

export default function (component) {
  const { data, parentElement } = component;
  if (window.ferVisit !== data.visit) {
    window.ferVisit = data.visit;
    document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
  }
  const button = parentElement.querySelector("button");
  const told = parentElement.querySelector("[role=status]");
  button.onclick = async () => {
    // Community Cloud shows apps in a frame whose address has this in it.
    const address = location.href.replace("/~/+/", "/");
    told.textContent = (await copied(address, parentElement)) ? "Copied" : "Copy it from the address bar";
    setTimeout(() => (told.textContent = ""), 3000);
  };
}

async function copied(text, parent) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without https browsers have the old way alone.
    const field = document.createElement("textarea");
    field.value = text;
    field.style.position = "fixed";
    field.style.opacity = 0;
    parent.appendChild(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
