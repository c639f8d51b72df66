/** A room that warms up and cools down: a sensor for machines that have none. */
export function simulatedThermometer(): () => { readonly celsius: number } {
  let readings = 0
  return () => {
    readings++
    const celsius = 21 + 1.5 * Math.sin(readings / 7) + 0.2 * Math.random()
    return { celsius: Math.round(celsius * 10) / 10 }
  }
}
