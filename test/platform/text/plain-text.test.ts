// What others wrote steers no terminal, wherever it is shown.
import test from 'ava'
import fc from 'fast-check'
import { createLog } from '../../../agent/program/control/log.ts'
import { createOutput, table } from '../../../platform/cli/output.ts'
import { plainJson, plainLine, plainText, plainValue } from '../../../platform/text/plain-text.ts'

const planted = [
  ['a colour', '\u001b[31mred\u001b[0m'],
  ['a cleared screen', '\u001b[2J\u001b[H'],
  ['a title', '\u001b]0;root@pi\u0007'],
  ['a link', '\u001b]8;;http://evil.example\u001b\\pay\u001b]8;;\u001b\\'],
  ['C1 in one character', '\u009b2J\u0090q\u009c'],
  ['a carriage return over what stands there', 'stolen\rfine  '],
  ['backspaces', 'evil\b\b\b\bgood'],
  ['DEL', 'x\u007fy'],
  ['NUL', 'x\u0000y'],
  ['text that runs the other way', 'abc\u202etxt.exe'],
  ['isolated directions', '\u2066\u2067x\u2069\u200f\u061c'],
  ['a line of its own', 'x\u2028y\u2029z'],
  ['tags that nobody sees', 'x\u{e0041}\u{e007f}'],
  ['half a character', 'x\ud800'],
] as const

const harmful = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u

for (const [what, text] of planted) {
  test(`${what} is shown, and not obeyed`, async (t) => {
    t.notRegex(plainLine(text), harmful)
    t.notRegex(plainText(text), harmful)
    const json = plainJson(JSON.stringify({ name: text }))
    t.notRegex(json, harmful)
    t.deepEqual(JSON.parse(json), { name: text })
    t.notRegex(table(['NAME'], [[text]]).replaceAll('\n', ''), harmful)
    for (const format of ['text', 'json'] as const) {
      let said = ''
      const log = await createLog({
        ...({ level: 'info', priorities: 'none' } as const),
        format,
        write: (line) => {
          said += line
        },
      })
      log.warn(`refused by ${text}`, { reason: text, more: [text] })
      t.notRegex(said.replace(/\n$/, ''), harmful, format)
    }
    t.notRegex(JSON.stringify(plainValue({ msg: text, err: { message: text } })), harmful)
  })
}

test('a name does not make a line of its own, in a table or in a log', async (t) => {
  const rows = table(['NAME'], [['x\ny', '1']])
  t.is(rows.split('\n').length, 2)
  let said = ''
  const log = await createLog({
    ...({ level: 'info', format: 'text', priorities: 'none' } as const),
    write: (line) => {
      said += line
    },
  })
  log.info('found', { name: 'x\nerror: paid 5 TKN' })
  t.is(said, 'found name="x\\nerror: paid 5 TKN"\n')
})

test('what is long is cut, and one character less is not', (t) => {
  t.is(plainLine('x'.repeat(20), 20), 'x'.repeat(20))
  t.is(plainLine('x'.repeat(21), 20), `${'x'.repeat(19)}…`)
  t.notRegex(plainLine(`${'x'.repeat(18)}${'😀'.repeat(9)}`, 20), harmful)
  t.true(table(['NAME'], [['x'.repeat(5000)]]).length < 500)
})

test('text that harms nobody stays as it is', (t) => {
  for (const text of ['Küche', '客厅', '👩‍👩‍👧', 'a\tb\nc', 'שלום', '"quoted" \\n']) {
    t.is(plainText(text), text)
    t.is(plainJson(JSON.stringify(text)), JSON.stringify(text))
  }
})

test('whatever the text is, JSON says the same and steers nothing', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = plainJson(JSON.stringify([text]))
      t.notRegex(json, harmful)
      t.deepEqual(JSON.parse(json), [text])
      t.notRegex(plainLine(text), harmful)
    }),
  )
})

test('at a terminal there are our own colours, and nobody else’s', (t) => {
  const { isTTY, write } = process.stdout
  let said = ''
  Object.assign(process.stdout, {
    isTTY: true,
    write: (text: string) => {
      said += text
      return true
    },
  })
  try {
    const output = createOutput(false, {})
    output.print(`${output.colour('green', '✔')} \u001b[31mred`)
  } finally {
    Object.assign(process.stdout, { isTTY, write })
  }
  t.is(said, '\u001b[32m✔\u001b[0m \ufffd[31mred\n')
})
