/** In milliseconds. Far more than anything takes, and less than ava waits for a test that does nothing. */
const longest = 300_000
const pause = 5

/**
 * For the `timeout` of a connection to a node that lives in the test's own process, in milliseconds: what
 * the process does meanwhile keeps the node from answering, and a busy machine makes it long.
 */
export const patience = 120_000

/**
 * Looks until it finds something, which is all but `undefined` and `false`, and resolves with that. No test
 * waits for a fact in another way: on a busy machine a fixed time is over before anything has happened.
 * @throws Error after minutes, from where it was called, with what `seen` says then
 */
export async function until<Found>(
  look: () => Found | Promise<Found>,
  seen: () => unknown = () => '',
): Promise<Exclude<Found, undefined | false>> {
  const never = new Error(`It never became so: ${look}`)
  const giveUp = performance.now() + longest
  for (;;) {
    const found = await look()
    if (isSomething(found)) return found
    if (performance.now() > giveUp) {
      never.message += `\n${seen()}`
      throw never
    }
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}

function isSomething<Found>(found: Found): found is Exclude<Found, undefined | false> {
  return found !== undefined && found !== false
}
