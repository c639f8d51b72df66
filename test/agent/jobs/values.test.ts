// What is shown of an answer: its number, where it is about one.
import test from 'ava'
import { boughtValue, mostValues, withValue } from '../../../agent/jobs/values.ts'

const answers: readonly (readonly [body: string, text: string, number?: number])[] = [
  ['21.4', '21.4', 21.4],
  ['21.4\n', '21.4', 21.4],
  ['-3e2', '-3e2', -300],
  ['{"celsius": 21.4}', '{"celsius": 21.4}', 21.4],
  ['{"celsius":21.4,"time":1764316800}', '{"celsius":21.4,"time":1764316800}', 21.4],
  ['{"room":{"value":7}}', '{"room":{"value":7}}', 7],
  ['[5]', '[5]', 5],
  ['{"celsius":21.4,"humidity":40}', '{"celsius":21.4,"humidity":40}'],
  ['{"sky":"clear"}', '{"sky":"clear"}'],
  ['clear,\n  and warm', 'clear, and warm'],
  ['', ''],
  ['1 2', '1 2'],
  ['\u0000\u0001', '2 bytes'],
]
for (const [body, text, number] of answers) {
  test(`of ${JSON.stringify(body)}: ${number ?? text}`, (t) => {
    const expected = { text, ...(number !== undefined && { number }) }
    t.deepEqual(boughtValue(Buffer.from(body)), expected)
  })
}

test('what is large or no text is its size; a long text is shortened', (t) => {
  t.deepEqual(boughtValue(Buffer.from([0xff, 0xd8, 0xff])), { text: '3 bytes' })
  t.deepEqual(boughtValue(Buffer.alloc(20_000, '7')), { text: '20000 bytes' })
  t.true(boughtValue(Buffer.from('x'.repeat(500))).text.length <= 81)
})

test('a document that nests without end is no number, and takes no time', (t) => {
  const deep = `${'['.repeat(8000)}1${']'.repeat(8000)}`
  t.is(boughtValue(Buffer.from(deep)).number, undefined)
})

test('the last numbers are kept, and the last value whatever it is', (t) => {
  let values = withValue(undefined, { text: 'clear' })
  t.deepEqual(values, { numbers: [], last: 'clear' })
  for (let number = 0; number < 2 * mostValues; number++) {
    values = withValue(values, { text: '', number })
  }
  t.is(values.numbers.length, mostValues)
  t.is(values.last, '95')
  t.deepEqual(withValue(values, { text: 'broken' }), { ...values, last: 'broken' })
})
