/** Work with the same key is done one after the other; different keys do not wait for each other. */
export type Lanes = <Value>(key: string, work: () => Promise<Value>) => Promise<Value>

export function lanes(): Lanes {
  const last = new Map<string, Promise<unknown>>()
  return (key, work) => {
    const done = (last.get(key) ?? Promise.resolve()).then(work)
    const settled = done.catch(() => undefined)
    last.set(key, settled)
    settled.then(() => {
      if (last.get(key) === settled) last.delete(key)
    })
    return done
  }
}
