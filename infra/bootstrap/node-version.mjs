/** Says in words what is wrong with an old Node: what comes after would only fail with a syntax error. */
const least = [20, 19];

export const checkNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > least[0] || (major === least[0] && minor >= least[1])) return;
  console.error(
    `Funnel needs Node ${least.join('.')} or newer, but this is ${process.version} (${process.execPath}).\n` +
      'Install a newer one from https://nodejs.org or with your version manager, such as `nvm install 22`.',
  );
  process.exit(1);
};
