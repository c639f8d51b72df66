// Durations as people read them.

const minute = 60
const hour = 60 * minute
const day = 24 * hour

/**
 * Of seconds: `45 s`, `16 min`, `1.7 hours`, `7 days`.
 * @example
 * formatDuration(7200) // '2 hours'
 */
export function formatDuration(seconds: number): string {
  if (seconds < 2 * minute) return `${Math.round(seconds)} s`
  if (seconds < hour) return `${Math.round(seconds / minute)} min`
  if (seconds < 2 * day) return counted(seconds / hour, 'hour')
  return counted(seconds / day, 'day')
}

function counted(value: number, unit: string): string {
  const rounded = Math.round(value * 10) / 10
  return rounded === 1 ? `1 ${unit}` : `${rounded} ${unit}s`
}
