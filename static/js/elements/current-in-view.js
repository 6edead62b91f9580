/** Rows of links that scroll sideways on phones begin at the current one. */
for (const row of document.querySelectorAll(".tabs, .tools, .sidebar, .nav")) {
  const current = row.querySelector("[aria-current]");
  if (!current || row.scrollWidth <= row.clientWidth) continue;
  const [here, frame] = [current.getBoundingClientRect(), row.getBoundingClientRect()];
  row.scrollLeft += here.left + here.width / 2 - (frame.left + frame.width / 2);
}
