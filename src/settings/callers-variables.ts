// What the launcher of the portable folder kept from its own Node, for whom it was meant: the programs `run` starts. Owns the
// names, which sallyport.cmd and sallyport of that folder repeat.

/** Options for Node, and folders it looks for packages in: of the caller's Node, and of another version than ours. */
const KEPT = ['NODE_OPTIONS', 'NODE_PATH'];
const PREFIX = 'SALLYPORT_CALLER_';

/** A copy in which they have their own names again. */
export function withCallersVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { ...restored } = env;
  for (const name of KEPT) {
    const value = restored[PREFIX + name];
    if (value !== undefined) {
      restored[name] = value;
      delete restored[PREFIX + name];
    }
  }
  return restored;
}
