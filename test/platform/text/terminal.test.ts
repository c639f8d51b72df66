import test from 'ava'
import fc from 'fast-check'
import {
  colouredWithoutControls,
  jsonWithoutControls,
  withoutControls,
} from '../../../platform/text/terminal.ts'

const hostile = '\u001b]0;mine\u0007\u009b2Jclosed\r\n\u202e✔\tdone'

test('escapes become signs that do nothing; tab and line stay', (t) => {
  t.is(withoutControls(hostile), '�]0;mine��2Jclosed�\n�✔\tdone')
})

test('colours of ours stay, and nothing else that begins with an escape', (t) => {
  t.is(
    colouredWithoutControls('\u001b[32m✔\u001b[0m \u001b[31;1mx\u001b[2J'),
    '\u001b[32m✔\u001b[0m �[31;1mx�[2J',
  )
})

test('JSON keeps its value, whatever is in it', (t) => {
  t.is(JSON.parse(jsonWithoutControls(JSON.stringify(hostile))), hostile)
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, (value) => {
      const said = jsonWithoutControls(JSON.stringify({ value }, undefined, 2))
      t.deepEqual(JSON.parse(said), { value })
      t.notRegex(said.replaceAll('\n', ''), /\p{Cc}/u)
    }),
  )
})
