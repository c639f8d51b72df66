import test from 'ava'
import { z } from 'zod'
import { parseConfig, seconds } from '../../../platform/config/index.ts'

const schema = z.strictObject({
  mostPrice: z.number().optional(),
  deposit: z.strictObject({ most: z.number().optional() }).optional(),
  jobs: z.record(z.string(), z.strictObject({ mostBody: z.number().optional() })).optional(),
  maxAge: z.number().optional(),
  wait: seconds(0.5, 600).default(30),
})

const read = (text: string) => parseConfig(text, { file: 'a.yaml', schema })

test('max… is most…, at any depth; names that a person chose and settings of that name stay', (t) => {
  t.deepEqual(
    read('maxPrice: 5\ndeposit: { max: 6 }\njobs: { maxBody: { maxBody: 7 } }\nmaxAge: 8'),
    {
      mostPrice: 5,
      deposit: { most: 6 },
      jobs: { maxBody: { mostBody: 7 } },
      maxAge: 8,
      wait: 30,
    },
  )
  t.like(read('mostPrice: 5'), { mostPrice: 5 })
})

test('what is wrong there is said of the name that is written, in its line', (t) => {
  t.throws(() => read('wait: 1\ndeposit:\n  max: a lot'), {
    code: 'config_invalid',
    message: /^a\.yaml:3 deposit\.max: "a lot": /,
  })
  t.throws(() => read('mostPrice: 1\nmaxPrice: 2'), { message: /maxPrice/ })
})

for (const [text, gives] of [
  ['30', 30],
  ['0.5', 0.5],
  ['30s', 30],
  ['1500ms', 1.5],
  ['5m', 300],
] as const) {
  test(`${text} is ${gives} seconds`, (t) => {
    t.is(read(`wait: ${text}`).wait, gives)
  })
}

for (const [text, says] of [
  ['11m', /wait: "11m": .*from 0\.5 to 600/],
  ['0.1', /wait: 0\.1: .*from 0\.5 to 600/],
  ['soon', /"soon" is not a duration/],
  ['[1]', /duration such as 30s, or a number of seconds/],
] as const) {
  test(`${text} is none`, (t) => {
    t.throws(() => read(`wait: ${text}`), { code: 'config_invalid', message: says })
  })
}
