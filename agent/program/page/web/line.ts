// The line through a job's last values, and the same in words: pure functions.

/** Units of the drawing's own: it is scaled to the room that it has. */
export const width = 160
export const height = 40
const margin = 3

/** `the last 48 values, from 21.2 to 22.7` */
export function sparkText(numbers: readonly number[]): string {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)]
  return `the last ${numbers.length} values, from ${least} to ${most}`
}

/** Values that are all the same are a line in the middle. */
export function points(numbers: readonly number[]): string {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)]
  const across = (width - 2 * margin) / Math.max(1, numbers.length - 1)
  return numbers
    .map((number, at) => {
      const part = most === least ? 0.5 : (number - least) / (most - least)
      const y = height - margin - part * (height - 2 * margin)
      return `${(margin + at * across).toFixed(1)},${y.toFixed(1)}`
    })
    .join(' ')
}
