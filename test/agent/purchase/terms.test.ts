import test from 'ava'
import { createPrices, createTermsMemory } from '../../../agent/purchase/terms.ts'
import { memoryNotes } from '../../support/notes.ts'

test('the last price is known after a restart, whatever the query was', (t) => {
  const { notes, write } = memoryNotes()
  const url = new URL('http://127.0.0.1:1/reading?a=1')
  createPrices(notes).paid('GET', url, 7n)
  write()
  const later = createPrices(notes)
  t.is(later.lastPrice('GET', new URL('http://127.0.0.1:1/reading?b=2')), 7n)
  t.is(later.lastPrice('POST', url), undefined)
  t.is(later.lastPrice('GET', new URL('http://127.0.0.1:1/other')), undefined)
  t.is(createTermsMemory(later).recall('GET', url), undefined)
})

test('a thousand prices are kept, and not one more', (t) => {
  const { notes, write, count } = memoryNotes()
  const memory = createPrices(notes)
  const url = (number: number) => new URL(`http://127.0.0.1:1/${number}`)
  for (let number = 0; number < 1000; number++) memory.paid('GET', url(number), 1n)
  write()
  t.is(count(), 1000)
  memory.paid('GET', url(1000), 2n)
  write()
  t.is(count(), 1000)
  t.is(createPrices(notes).lastPrice('GET', url(1000)), 2n)
})
