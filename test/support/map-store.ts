// What a browser's localStorage does, without a browser.
export function mapStore() {
  const values = new Map<string, string>()
  return {
    keys: () => [...values.keys()],
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  }
}
