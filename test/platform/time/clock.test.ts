import test from 'ava'
import fc from 'fast-check'
import { advance, type ProvenClock } from '../../../platform/time/clock.ts'

const day = 24 * 3_600_000

test('whatever the clocks say: time never goes back, and without synchronisation no faster than the uptime', (t) => {
  const reading = fc.record({
    wall: fc.integer({ min: 0, max: 4e12 }),
    step: fc.integer({ min: 0, max: 2 * day }),
    restarts: fc.boolean(),
    synchronised: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(reading, { minLength: 1, maxLength: 20 }), (readings) => {
      let clock: ProvenClock | undefined
      let uptime = 0
      let boot = 0
      for (const { wall, step, restarts, synchronised } of readings) {
        uptime = restarts ? step : uptime + step
        if (restarts) boot++
        const now = { wall, uptime, boot: `${boot}`, synchronised }
        const next = advance(clock, now)
        if (clock !== undefined) {
          t.true(next.clock.time >= clock.time)
          if (!synchronised) t.true(next.clock.time - clock.time <= step)
          if (!synchronised || wall <= clock.time) t.is(next.jump, 0)
        }
        clock = next.clock
      }
    }),
  )
})
