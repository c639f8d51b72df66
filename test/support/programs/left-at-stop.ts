// Loaded before the daemon (node --import): when it says that it has stopped, writes to the file LEFT_AT_STOP what its
// process would still wait for.
import { writeFileSync } from 'node:fs'

const { LEFT_AT_STOP = '' } = process.env
const write = process.stderr.write.bind(process.stderr)

process.stderr.write = (...args: readonly unknown[]) => {
  if (/\bstopped\b/.test(String(args[0]))) {
    // What ends in this very moment is over a turn of the loop later.
    setImmediate(() => setImmediate(() => tell()))
  }
  return (write as (...given: readonly unknown[]) => boolean)(...args)
}

function tell(): void {
  writeFileSync(LEFT_AT_STOP, JSON.stringify(process.getActiveResourcesInfo()))
}
