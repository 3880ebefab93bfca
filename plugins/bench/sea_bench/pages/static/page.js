// A key presses the button or follows the link that names it in data-key.
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.matches("audio, video") && event.key.startsWith("Arrow")) return;
  const target = document.querySelector(`[data-key~="${CSS.escape(event.key)}"]`);
  if (target) {
    event.preventDefault();
    target.click();
  }
});
