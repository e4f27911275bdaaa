// A button that copies the address of the page as it is now, the way to the top for whoever arrives, and one step in the
// browser's history for each thing that somebody does. All need the browser: the server does not know what the address
// will be after the page is drawn, how far somebody has scrolled, nor what they pressed.

// On the way to another page Streamlit writes up to three addresses, one of them of the old page with the new page's
// names. As entries of their own they would be stations on the way back. So only the first that follows an act of
// somebody's is a new entry, and each that follows goes in its place. (The data, which Streamlit adds to a link that
// names them itself, are named once.) What is in the address for a reload alone makes no entry either.
if (!window.ferOneStep) {
  window.ferOneStep = true;
  let acted = false;
  for (const kind of ["click", "pointerup", "keydown", "change"]) {
    window.addEventListener(kind, () => (acted = true), { capture: true });
  }
  const push = history.pushState.bind(history);
  history.pushState = (state, unused, url) => {
    const address = namedOnce(url);
    if (address === location.href) return;
    if (acted && shared(address) !== shared(location.href)) push(state, unused, address);
    else history.replaceState(state, unused, address);
    acted = false;
  };
}

function namedOnce(url) {
  return filtered(url, (pair, at, pairs) => pairs.indexOf(pair) === at);
}

function shared(url) {
  return filtered(url, (pair) => !(window.ferUnshared ?? []).some((name) => pair.startsWith(`${name}=`)));
}

function filtered(url, keep) {
  const address = new URL(url, location.href);
  address.search = address.search.slice(1).split("&").filter(keep).join("&");
  return address.href;
}

export default function (component) {
  const { data, parentElement } = component;
  window.ferUnshared = data.unshared;
  if (window.ferVisit !== data.visit) {
    window.ferVisit = data.visit;
    document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
  }
  const button = parentElement.querySelector("button");
  const told = parentElement.querySelector("[role=status]");
  button.onclick = async () => {
    // Community Cloud shows apps in a frame whose address has this in it.
    const address = shared(location.href).replace("/~/+/", "/");
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
