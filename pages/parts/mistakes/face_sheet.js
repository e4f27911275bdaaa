// A sheet of faces. Python sends one picture with all of them and what is known of each; every face is a button. The
// row of the one that is pressed goes back to Python.

const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
const BAR = 60; // Pixels of the window's top that Streamlit's own bar covers.
const sheets = new WeakMap();
let asked = null; // The row that was pressed last: its face is brought into view once it is there.

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let sheet = sheets.get(parentElement);
  if (!sheet?.list.isConnected) {
    sheet = new Sheet(parentElement.querySelector("ul"));
    sheets.set(parentElement, sheet);
  }
  sheet.send = (row) => setTriggerValue("face", row);
  sheet.show(data);
}

class Sheet {
  constructor(list) {
    this.list = list;
    this.shown = "";
    this.buttons = [];
    list.addEventListener("keydown", (event) => this.move(event));
  }

  show(data) {
    this.list.setAttribute("aria-label", data.told);
    const about = data.picture + JSON.stringify(data.faces);
    if (about !== this.shown) {
      this.shown = about;
      this.draw(data);
    }
    const at = data.faces.findIndex(([row]) => row === data.open);
    this.buttons.forEach((button, index) => {
      button.classList.toggle("open", index === at);
      if (index === at) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      // One stop for the Tab key: the arrows go on from there.
      button.tabIndex = index === Math.max(at, 0) ? 0 : -1;
    });
    if (asked !== null && asked === data.open) {
      asked = null;
      this.bring(at);
    }
  }

  draw(data) {
    const down = Math.ceil(data.faces.length / data.across);
    const place = (index, of) => (of > 1 ? (100 * index) / (of - 1) : 0);
    this.buttons = data.faces.map(([row, colour, caption, told], index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.row = row;
      button.title = told;
      button.setAttribute("aria-label", told.replaceAll("\n", "; "));
      const face = document.createElement("span");
      face.className = "face";
      face.style.borderColor = colour;
      face.style.backgroundImage = `url("${data.picture}")`;
      face.style.backgroundSize = `${100 * data.across}% ${100 * down}%`;
      const across = place(index % data.across, data.across);
      face.style.backgroundPosition = `${across}% ${place(Math.floor(index / data.across), down)}%`;
      const words = document.createElement("span");
      words.textContent = caption;
      button.append(face, words);
      button.addEventListener("click", () => this.press(row));
      return button;
    });
    this.list.replaceChildren(
      ...this.buttons.map((button) => {
        const item = document.createElement("li");
        item.append(button);
        return item;
      }),
    );
  }

  press(row) {
    asked = row;
    this.send(row);
  }

  move(event) {
    const at = this.buttons.indexOf(event.target.closest("button"));
    const across = this.list.firstElementChild ? getComputedStyle(this.list).gridTemplateColumns.split(" ").length : 1;
    const step = { ...STEPS, ArrowUp: -across, ArrowDown: across }[event.key];
    if (at < 0 || step === undefined) return;
    // The page's own arrow keys turn to the next face: here they only move.
    event.preventDefault();
    event.stopPropagation();
    this.buttons[Math.min(Math.max(at + step, 0), this.buttons.length - 1)].focus();
  }

  bring(at) {
    this.buttons[at]?.focus({ preventScroll: true });
    let tries = 20;
    const look = () => {
      const face = document.querySelector(".st-key-open-face");
      const start = document.querySelector(".st-key-steps");
      if (!face || !start) {
        if (tries-- > 0) setTimeout(look, 100);
        return;
      }
      const top = start.getBoundingClientRect().top;
      if (top < BAR || face.getBoundingClientRect().top > 0.5 * window.innerHeight) start.scrollIntoView({ block: "start" });
    };
    requestAnimationFrame(() => setTimeout(look, 50));
  }
}
