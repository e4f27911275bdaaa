// The seven usual expressions of a drawn face, as buttons. Python sends the pictures; the name of the one that is
// pressed goes back.

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const row = parentElement.querySelector(".presets");
  // The same buttons as before where there are some: who has the focus keeps it.
  while (row.children.length > data.presets.length) row.lastChild.remove();
  data.presets.forEach((preset, at) => {
    let button = row.children[at];
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.append(document.createElement("img"), document.createElement("b"), document.createElement("span"));
      row.append(button);
    }
    const [picture, name, below] = button.children;
    if (picture.src !== preset.picture) picture.src = preset.picture;
    picture.alt = "";
    name.textContent = preset.name;
    below.textContent = preset.below;
    button.setAttribute("aria-label", preset.told);
    button.setAttribute("aria-pressed", preset.pressed);
    button.onclick = () => setTriggerValue("picked", preset.name);
  });
}
