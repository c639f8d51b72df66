// Prints one reading of this machine as JSON. Without the sensor it ends with exit code 1, and then
// the receiver charges nothing.
import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'

const sensors = {
  temperature: () => ({
    // Thousandths of a degree, of the processor on a Raspberry Pi.
    celsius: Number(readFileSync('/sys/class/thermal/thermal_zone0/temp', 'utf8')) / 1000,
  }),
  load: () => ({ load: loadavg()[0] }),
}

const name = process.argv[2]
const read = Object.hasOwn(sensors, name) ? sensors[name] : undefined
if (read === undefined) {
  process.stderr.write(`usage: read.js ${Object.keys(sensors).join(' | ')}\n`)
  process.exitCode = 2
} else {
  try {
    process.stdout.write(`${JSON.stringify({ ...read(), time: new Date().toISOString() })}\n`)
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  }
}
