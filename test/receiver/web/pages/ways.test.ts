// How to pay from elsewhere: what a person copies, and what a phone reads.
import test from 'ava'
import { encode } from 'uqr'
import { agentCommand, darkPath } from '../../../../receiver/web/pages/paywall/ways.ts'

test('a shell takes the command as one URL, whatever is in it', (t) => {
  t.is(agentCommand('http://shop:5000/a/b'), 'uraiden-agent get http://shop:5000/a/b')
  t.is(agentCommand('http://shop/a?b=1&c=2'), "uraiden-agent get 'http://shop/a?b=1&c=2'")
  t.is(agentCommand("http://shop/a?'$(x)"), "uraiden-agent get 'http://shop/a?'\\''$(x)'")
})

test('the picture has the dark squares of the code, and no others', (t) => {
  const { data, size } = encode('http://shop.local:5000/reading?place=garden', {
    ecc: 'M',
    border: 2,
  })
  const drawn = data.map((row) => row.map(() => false))
  for (const [, x, y, width] of darkPath(data).matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let at = 0; at < Number(width); at++) {
      const row = drawn[Number(y)]
      if (row) row[Number(x) + at] = true
    }
  }
  t.deepEqual(drawn, data)
  t.is(size, data.length)
})
