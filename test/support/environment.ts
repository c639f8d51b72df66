// What the processes that tests start see of the machine: nothing of its configuration.

/** The way to programs, a home of its own, and the cache of compiled code when there is one. */
export function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  return { PATH, HOME: home, ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }) }
}
