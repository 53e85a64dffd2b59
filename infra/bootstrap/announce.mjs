/** One line before and one after, so that nobody wonders what takes so long or what was changed on their machine. */
export const announce = (text) => console.log(`funnel: ${text}`);

/** Runs `work` between two lines; the second has the elapsed time. */
export const step = async (title, work) => {
  announce(`${title} …`);
  const start = performance.now();
  const result = await work();
  announce(`${title}: done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
};
