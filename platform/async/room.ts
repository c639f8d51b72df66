/** Something that there is only so much of, such as memory. */
export interface Room {
  /**
   * Resolves with what gives it back when there is room for it, in the order of asking. More than there is
   * at all waits to be alone. Whoever has `gone` gets it at once, and should not use it.
   */
  readonly take: (size: number, gone: AbortSignal) => Promise<() => void>
}

interface Waiting {
  readonly size: number
  readonly go: () => void
}

export function createRoom(most: number): Room {
  const waiting: Waiting[] = []
  let taken = 0

  function next(): void {
    for (let [first] = waiting; first !== undefined; [first] = waiting) {
      if (taken > 0 && taken + first.size > most) return
      waiting.shift()
      taken += first.size
      first.go()
    }
  }

  function wait(size: number, gone: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const one: Waiting = { size, go: resolve }
      waiting.push(one)
      const leave = () => {
        const at = waiting.indexOf(one)
        if (at < 0) return
        waiting.splice(at, 1)
        taken += size
        resolve()
      }
      gone.addEventListener('abort', leave, { once: true })
      next()
    })
  }

  return {
    take: async (size, gone) => {
      await wait(size, gone)
      let given = false
      return () => {
        if (given) return
        given = true
        taken -= size
        next()
      }
    },
  }
}
