// What of receiver.yaml says how bound requests are taken.
import test from 'ava'
import { receiverConfig } from '../../../receiver/program/config.ts'

const least = { contract: `0x${'11'.repeat(20)}`, key: 'key' }
const takes = (more: object) => receiverConfig.safeParse({ ...least, ...more }).success

test('bound requests are offered, or required', (t) => {
  t.is(receiverConfig.parse(least).bound, 'offer')
  t.true(takes({ bound: 'require' }))
  t.false(takes({ bound: 'off' }))
})

test('origins have scheme, host and port, and nothing more', (t) => {
  t.true(takes({ origins: ['http://192.168.1.20:5000', 'https://shop.example'] }))
  for (const wrong of [
    [],
    ['shop.example'],
    ['http://shop.example/'],
    ['http://shop.example:80'],
  ]) {
    t.false(takes({ origins: wrong }), `${wrong}`)
  }
})

test('a public path begins with a slash and ends with none', (t) => {
  t.true(takes({ publicPath: '/shop/sensors' }))
  for (const wrong of ['', '/', 'shop', '/shop/', '/shop?x'])
    t.false(takes({ publicPath: wrong }), wrong)
})
