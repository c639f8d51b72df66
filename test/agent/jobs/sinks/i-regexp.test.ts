// match() and search() of JSONPath find what JavaScript's expressions find, and never take long for it.
import test from 'ava'
import fc from 'fast-check'
import { compileIRegexp } from '../../../../agent/jobs/sinks/i-regexp.ts'

const patterns = [
  ...[
    '',
    'a',
    'abc',
    'a|b',
    'a|b|',
    '|a',
    '(a|b)c',
    '(ab|c)*d',
    'a*',
    'a+',
    'a?b',
    'a{2}',
    'a{2,}',
  ],
  ...['a{0,2}b', '(a{2}b){1,3}', '((a|b)?c)+', '()', '(a*)*b', '(a+)+b', '(a|aa)+b', '.b', '[abc]'],
  ...[
    '[^ab]c',
    '[a-c]+x',
    '[a-]',
    '[-a]b',
    '[a\\]]',
    '\\.',
    '\\(a\\)',
    'a\\|b',
    '\\p{Lu}a',
    '\\P{L}',
  ],
  ...['[\\p{Ll}1]b', '\\n', '^a', 'a$', '^(a|b)$', 'a^b', 'ä+', '🍓?x', '[🍓a]+'],
] as const

const text = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      'c',
      'd',
      'x',
      '1',
      'A',
      'ä',
      '🍓',
      '.',
      '|',
      '(',
      ')',
      ']',
      '\n',
      '-',
    ),
  )
  .map((parts) => parts.join(''))

for (const pattern of patterns) {
  test(`${JSON.stringify(pattern)} finds what it says`, (t) => {
    const { matches, isIn } = compileIRegexp(pattern)
    // RFC 9485 section 5.3: a dot is no line end.
    const script = pattern.replace(/(?<!\\)\./g, '[^\\n\\r]')
    fc.assert(
      fc.property(text, (given) => {
        t.is(matches(given), new RegExp(`^(?:${script})$`, 'u').test(given), given)
        t.is(isIn(given), new RegExp(script, 'u').test(given), given)
      }),
    )
  })
}

const wrong = [
  ...['(', ')', 'a)', '(a', '*', 'a**', '+a', '?', '{2}', 'a{', 'a{}', 'a{2,1}', 'a{x}', '[', '[]'],
  ...[
    '[z-a]',
    '\\',
    '\\d',
    '\\w',
    '\\b',
    '(?=a)',
    '(?:a)',
    '(a)\\1',
    '\\p{Nope}',
    'a]',
    'a}',
    '\\pL',
  ],
  ...['a{1001}', '((a{10}){10}){11}', 'a{99999}'],
]
for (const pattern of wrong) {
  test(`${JSON.stringify(pattern)} is refused`, (t) => {
    t.throws(() => compileIRegexp(pattern))
  })
}

const explosive = ['(a+)+b', '(a|a)*b', '(a|aa)+b', '(a*)*b', 'a*a*a*a*a*a*b', '(.*)*(.*)*b', 'a+b']
for (const pattern of explosive) {
  test(`${pattern} takes time by the length of the text`, (t) => {
    const { matches, isIn } = compileIRegexp(pattern)
    const long = 'a'.repeat(200_000)
    t.false(matches(`${long}!`))
    t.false(isIn(`${long}!`))
    t.true(matches(`${long}b`))
  })
}
