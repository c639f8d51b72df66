import test from 'ava'
import { collectFields } from '../../../protocol/bound/fields.ts'

function joined(...values: readonly string[]): string | undefined {
  return collectFields(values.map((value, at) => [at % 2 === 0 ? 'Name' : 'nAME', value])).get(
    'name',
  )?.value
}

// RFC 9421 section 2.1 and its examples.
test('lines are joined, outer white space is taken off, inner stays', (t) => {
  t.is(joined(' value, with  spaces\t'), 'value, with  spaces')
  t.is(joined('max-age=60', '   must-revalidate'), 'max-age=60, must-revalidate')
  t.is(joined('a', '', 'b'), 'a, , b')
  t.is(joined(''), '')
  t.is(joined(' \t '), '')
})

test('a folded line is one with a space in place of the fold', (t) => {
  t.is(joined('Obsolete\r\n    line folding.'), 'Obsolete line folding.')
  t.is(joined('a \n\tb\r\n c'), 'a b c')
})

test('a line feed that folds nothing stays, and is found', (t) => {
  t.true(joined('a\nb')?.includes('\n'))
  t.true(joined('a\r\n')?.includes('\n'))
})

test('characters that are white space elsewhere are none here', (t) => {
  t.is(joined('\u00a0a\u00a0'), '\u00a0a\u00a0')
})

test('lines are counted', (t) => {
  const fields = collectFields([
    ['A', '1'],
    ['b', '2'],
    ['a', '3'],
  ])
  t.deepEqual(
    [...fields],
    [
      ['a', { value: '1, 3', lines: 2 }],
      ['b', { value: '2', lines: 1 }],
    ],
  )
})
