// What a receiver sends stays the one value that the owner's template has a place for.
import test from 'ava'
import fc from 'fast-check'
import { compilePicker } from '../../../../agent/jobs/sinks/pick.ts'
import { entry } from '../../../support/outbox.ts'

const fill = (template: string, value: unknown) => {
  const picked = compilePicker({ template })(entry(1, JSON.stringify({ v: value })))
  return picked && Buffer.from(picked).toString()
}

const json = '{"state":"{{ $.v }}","job":"{{ job }}","value":{{ $.v }},"all":"{{ $.v | json }}"}'

test('a template that is JSON stays the same JSON, whatever comes', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (value, text) => {
      for (const given of [value, text, `on","unlock":"yes`, `1,"unlock":true`, `x\\`, `a\n"b`]) {
        const written = JSON.parse(fill(json, given) ?? '')
        t.deepEqual(Object.keys(written), ['state', 'job', 'value', 'all'])
        t.is(written.state, typeof given === 'string' ? given : JSON.stringify(given))
        t.deepEqual(JSON.parse(written.all), JSON.parse(JSON.stringify(given)))
      }
    }),
  )
})

const written = [
  ['{"v":{{ $.v }}}', 21.4, '{"v":21.4}'],
  ['{"v":{{ $.v }}}', '21.4', '{"v":21.4}'],
  ['{"v":{{ $.v }}}', 'hall', '{"v":"hall"}'],
  ['{"v":{{ $.v }}}', { a: 1 }, '{"v":{"a":1}}'],
  ['{"v":"\\"{{ $.v }}"}', 'a"b', '{"v":"\\"a\\"b"}'],
  ['["{{ $.v }}"]', 'say "on"', '["say \\"on\\""]'],
  ['is {{ $.v | json }}', 'a\nb', 'is "a\\nb"'],
  ['is {{ $.v|json }}', 5, 'is 5'],
  ['{{ $.v }} °C, {{ $.v }}', 'warm, dry', 'warm, dry °C, warm, dry'],
  ['is {{ $.v }}', 'a\nb', undefined],
  ['is {{ $.v }}', 'a\r', undefined],
  ['is {{ $.v }}', 'a\u001b]0;b', undefined],
  ['is {{ $.v }}', 'a\tb', 'is a\tb'],
  ['t,place={{ $.v }} value=1', 'New York', 't,place=New\\ York value=1'],
  ['t,place={{ $.v }} value=1', 'a,b=c', 't,place=a\\,b\\=c value=1'],
  ['t value=1,text="{{ $.v }}" 17', 'a" ,b="c\\', 't value=1,text="a\\" ,b=\\"c\\\\" 17'],
  ['t value={{ $.v }}', 21.4, 't value=21.4'],
  ['t value={{ $.v }}', '1,unlock=t', 't value=1\\,unlock\\=t'],
  ['t value={{ $.v }}', '1\nu value=2', undefined],
  ['t,place={{ $.v }} value=1', 'a\\', undefined],
  ['t,place={{ $.v }} value=1', '', undefined],
  ['a value={{ $.v }}\nb value={{ $.v }}\n', 2, 'a value=2\nb value=2\n'],
] as const
for (const [template, value, expected] of written) {
  test(`${template} with ${JSON.stringify(value)} is ${JSON.stringify(expected)}`, (t) => {
    t.is(fill(template, value), expected)
  })
}

test('of line protocol nothing becomes another line, tag or field', (t) => {
  const plain = (line: string) =>
    line
      .replace(/\\[\\",= ]/g, '_')
      .replace(/"[^"]*"/g, '_')
      .replace(/[^,= \n]+/g, 'x')
  fc.assert(
    fc.property(fc.stringMatching(/^[ab,=" \\\n\t]{0,8}$/), (value) => {
      const line = fill('t,place={{ $.v }} text="{{ $.v }}",value={{ $.v }} 17', value)
      if (line !== undefined) t.is(plain(line), plain('t,p=a text="a",value=1 17'), line)
    }),
  )
})
