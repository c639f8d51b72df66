// Several who wait until all of them are ready.

/**
 * Returns what gives each of them its own function: it says that this one is ready, and resolves when all are. It may
 * be called again.
 */
export function commonStart(members: number): () => () => Promise<void> {
  let missing = members
  let begin = (): void => undefined
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  return () => {
    let isReady = false
    return () => {
      if (!isReady && --missing === 0) begin()
      isReady = true
      return begun
    }
  }
}
