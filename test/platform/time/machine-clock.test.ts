import test from 'ava'
import { machineClock, readBootId } from '../../../platform/time/machine-clock.ts'

test('the start of the machine has one name, from /proc or from systemd', (t) => {
  const inProc = () => '3f1c6d2e-0a4b-4c5d-8e9f-001122334455\n'
  const hidden = () => {
    throw new Error('ENOENT')
  }
  const given = { URAIDEN_BOOT_ID: '3f1c6d2e0a4b4c5d8e9f001122334455' }
  const id = '3f1c6d2e-0a4b-4c5d-8e9f-001122334455'
  t.is(readBootId(inProc, {}), id)
  t.is(readBootId(hidden, given), id)
  t.is(readBootId(inProc, { URAIDEN_BOOT_ID: 'f'.repeat(32) }), id)
  // Without any, each start counts as another one.
  t.regex(readBootId(hidden, {}), /^process /)
  t.regex(readBootId(hidden, { URAIDEN_BOOT_ID: '%b' }), /^process /)
})

function givenMachine() {
  const now = { wall: 1_000_000, monotonic: 5000, uptime: 90_000 }
  let looks = 0
  const clock = machineClock('auto', {
    wall: () => now.wall,
    monotonic: () => now.monotonic,
    uptime: () => {
      looks += 1
      return now.uptime
    },
    hasMarker: () => true,
  })
  const pass = (milliseconds: number) => {
    now.wall += milliseconds
    now.monotonic += milliseconds
    now.uptime += milliseconds
  }
  return { now, clock, pass, looks: () => looks }
}

test('the machine is looked at once a second, and time passes meanwhile', (t) => {
  const { now, clock, pass, looks } = givenMachine()
  for (let time = 0; time <= 2000; time += 100) {
    const { wall, uptime, synchronised } = clock()
    t.deepEqual([wall, uptime, synchronised], [now.wall, now.uptime, true])
    pass(100)
  }
  t.is(looks(), 3)
})

test('a machine that slept, or whose clock was set, is looked at again', (t) => {
  const { now, clock, pass } = givenMachine()
  clock()
  pass(10)
  // Asleep the monotonic clock stands still.
  now.wall += 3_600_000
  now.uptime += 3_600_000
  t.is(clock().uptime, now.uptime)
  pass(10)
  now.wall -= 500_000
  const { wall, uptime } = clock()
  t.deepEqual([wall, uptime], [now.wall, now.uptime])
})
