import test from 'ava'
import { compilePicker, type PickRule } from '../../../../agent/jobs/sinks/pick.ts'
import { entry } from '../../../support/outbox.ts'

const body = '{"celsius":21.4,"place":"hall","list":[1,2],"deep":{"on":true},"none":null}'

/** A double has none of them as they are written, or writes them otherwise. */
const numbers = [
  '12345678901234567890',
  '9007199254740993',
  '-9007199254740993',
  '1e400',
  '1E-400',
  '0.1000000000000000055511151231257827',
  '21.50',
  '1.0',
  '-0',
  '115792089237316195423570985008687907853269984665640564039457584007913129639935',
]
const over1 = (number: string) => `[2${Number(number) > 1 ? `,${number}` : ''}]`

const picks: readonly {
  readonly rule: PickRule
  readonly of?: string
  readonly gives: string | undefined
}[] = [
  { rule: {}, gives: body },
  { rule: {}, of: 'no json', gives: 'no json' },
  { rule: { select: '$.celsius' }, gives: '21.4' },
  { rule: { select: '$.place' }, gives: 'hall' },
  { rule: { select: '$.deep' }, gives: '{"on":true}' },
  { rule: { select: '$.none' }, gives: 'null' },
  { rule: { select: '$.list[*]' }, gives: '[1,2]' },
  { rule: { select: '$.list[?@ > 1]' }, gives: '[2]' },
  { rule: { select: '$.list[?@ > $.list[0]]' }, gives: '[2]' },
  { rule: { select: "$[?match(@, 'h[a-z]+')]" }, gives: '["hall"]' },
  { rule: { select: "$[?search(@, 'al{2}')]" }, gives: '["hall"]' },
  { rule: { select: "$[?match(@, 'al{2}')]" }, gives: undefined },
  { rule: { select: '$..on' }, gives: '[true]' },
  { rule: { select: '$..on' }, of: `${'['.repeat(60)}{"on":1}${']'.repeat(60)}`, gives: undefined },
  { rule: { select: '$.on' }, of: '['.repeat(100_000), gives: undefined },
  { rule: { select: '$.humidity' }, gives: undefined },
  { rule: { select: '$.celsius' }, of: 'no json', gives: undefined },
  { rule: { template: '{{ $.place }}: {{$.celsius}} °C' }, gives: 'hall: 21.4 °C' },
  {
    rule: { template: '{{ job }} {{ id }} {{ time }} {{ cost }}' },
    of: 'no json',
    gives: 'temperature run-1 2026-11-21T00:00:01.000Z 5',
  },
  { rule: { template: '{{ $.humidity }} %' }, gives: undefined },
  { rule: { select: '$.celsius' }, of: `\ufeff${body}`, gives: '21.4' },
  { rule: { select: '$.celsius' }, of: '{"celsius":NaN}', gives: undefined },
  ...numbers.flatMap((number) => [
    { rule: { select: '$.v' }, of: `{ "v" : ${number} }`, gives: number },
    { rule: { select: '$' }, of: number, gives: number },
    {
      rule: { select: '$.v' },
      of: `{"v":[${number},"${number}"]}`,
      gives: `[${number},"${number}"]`,
    },
    { rule: { select: '$..v' }, of: `{"\\"v":1,"\\\\":[{"v":${number}}]}`, gives: `[${number}]` },
    {
      rule: { select: '$[?@.v > 1].v' },
      of: `[{"v":0},{"v":2},{"v":${number}}]`,
      gives: over1(number),
    },
    { rule: { template: '{"v":{{ $.v }}}' }, of: `{"v":${number}}`, gives: `{"v":${number}}` },
    { rule: { template: 'a v={{ $.v }}' }, of: `{"v":${number}}`, gives: `a v=${number}` },
    { rule: { template: '{{ $.v | json }}' }, of: `{"v":[${number}]}`, gives: `[${number}]` },
  ]),
  { rule: { template: '{{ $.celsius }}' }, of: 'no json', gives: undefined },
]

for (const [index, { rule, of = body, gives }] of picks.entries()) {
  test(`${index}: ${JSON.stringify(rule)} of ${of.slice(0, 10)} gives ${gives}`, (t) => {
    const picked = compilePicker(rule)(entry(1, of))
    t.is(picked && Buffer.from(picked).toString(), gives)
  })
}

test('a text that makes a pattern explode is no trouble', (t) => {
  const pick = compilePicker({ select: "$[?match(@.n, '(a+)+')].n" })
  t.is(pick(entry(1, JSON.stringify([{ n: `${'a'.repeat(100_000)}!` }]))), undefined)
})

for (const { rule, code, says } of [
  { rule: { select: 'celsius' }, code: 'not_a_jsonpath', says: /"celsius" is not a JSONPath/ },
  { rule: { select: '$.[' }, code: 'not_a_jsonpath', says: /"\$\.\["/ },
  { rule: { select: "$[?match(@, '(a')]" }, code: 'not_a_jsonpath', says: /RFC 9485/ },
  { rule: { select: '$[?match(@.a, @.b)]' }, code: 'not_a_jsonpath', says: /pattern in quotes/ },
  { rule: { select: '$[?!(search(@.a, $.b) || @.c)]' }, code: 'not_a_jsonpath', says: /in quotes/ },
  { rule: { select: '$..[?count($..a) > 1]' }, code: 'not_a_jsonpath', says: /inside a filter/ },
  { rule: { select: '$[?@[?$.a[*]]]' }, code: 'not_a_jsonpath', says: /inside a filter/ },
  { rule: { template: '{{ $[?$..a] }}' }, code: 'not_a_jsonpath', says: /inside a filter/ },
  { rule: { template: '{{ price }}' }, code: 'not_a_template', says: /{{ price }}/ },
  { rule: { template: '{{ $..[ }}' }, code: 'not_a_jsonpath', says: /\$\.\.\[/ },
  { rule: { template: '{{ toString }}' }, code: 'not_a_template', says: /toString/ },
]) {
  test(`${JSON.stringify(rule)} is refused: ${code}`, (t) => {
    t.throws(() => compilePicker(rule), { code, message: says })
  })
}
