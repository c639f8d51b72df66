// A bounded memory of what was used lately.

export interface Recent<Value> {
  readonly get: (text: string) => Value | undefined
  readonly set: (text: string, value: Value) => void
}

/**
 * Holds at most `most` values. It has two generations: who is used goes into the young one; when half of `most`
 * is there, it becomes the old one, and what was old and not used since is forgotten. So a flood of names that
 * come once drives out nothing that is used more often than the flood turns the memory over.
 */
export function createRecent<Value>(most: number): Recent<Value> {
  const half = Math.max(1, Math.floor(most / 2))
  let young = new Map<string, Value>()
  let old = new Map<string, Value>()
  const set = (text: string, value: Value): void => {
    if (young.size >= half && !young.has(text)) {
      old = young
      young = new Map()
    }
    old.delete(text)
    young.set(text, value)
  }
  return {
    get: (text) => {
      const used = young.get(text)
      if (used !== undefined) return used
      const found = old.get(text)
      if (found !== undefined) set(text, found)
      return found
    },
    set,
  }
}
