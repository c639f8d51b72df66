import test, { type ExecutionContext } from 'ava'
import type { BoundPolicy } from '../../../../agent/channels/binding.ts'
import { createPins } from '../../../../agent/discovery/pins.ts'
import { createReceivers, resolveUrl } from '../../../../agent/program/configuration/receivers.ts'
import type { Address } from '../../../../protocol/index.ts'
import { temporaryFolder } from '../../../support/folder.ts'
import { otherReceiver, receiver } from '../../../support/ledger.ts'
import { contract, sender } from '../../../support/lying-receiver.ts'

test('a URL may begin with a receiver’s name', (t) => {
  const config = { receivers: { 'a-b': { url: 'http://h:5/base/' } } }
  t.is(resolveUrl(config, 'a-b/x/y?z=1').href, 'http://h:5/base/x/y?z=1')
  t.is(resolveUrl(config, 'http://other/x').href, 'http://other/x')
  for (const text of ['c/x', 'constructor/x', 'ftp://x', 'http://', '']) {
    t.throws(() => resolveUrl(config, text), { code: 'not_a_url' }, text)
  }
})

interface Listed {
  readonly [name: string]: {
    readonly url: string
    readonly address?: Address
    readonly bound?: BoundPolicy
  }
}

async function given(t: ExecutionContext, listed: Listed) {
  const pins = createPins(await temporaryFolder(t))
  const receivers = createReceivers({
    config: { contract, receivers: listed },
    browse: async () => [
      {
        name: 'kitchen',
        url: new URL('http://kitchen:5000'),
        announcement: { path: '/api/1', receiver: sender, contract, chainId: 1n, tls: false },
      },
    ],
    pins,
  })
  return {
    boundAt: (url: string, paid: Address) => receivers.boundAt(new URL(url), paid),
    find: () => receivers.resolve('kitchen/x'),
  }
}

test('how a receiver may be paid is said for its address, and for its place', async (t) => {
  const { boundAt } = await given(t, {
    original: { url: 'http://old:1/shop', address: receiver, bound: 'off' },
    nameless: { url: 'http://new:2', bound: 'prefer' },
    silent: { url: 'http://usual:3', address: otherReceiver },
  })
  t.is(boundAt('http://old:1/shop/a', receiver), 'off')
  t.is(boundAt('http://moved:1/', receiver), 'off')
  t.is(boundAt('http://new:2/a', sender), 'prefer')
  t.is(boundAt('http://usual:3/', otherReceiver), undefined)
  t.is(boundAt('http://nobody/', sender), undefined)
})

test('an answer that names an address of laxer ways frees nobody from the ways of the place', async (t) => {
  const { boundAt } = await given(t, {
    original: { url: 'http://old:1', address: receiver, bound: 'off' },
    strict: { url: 'http://strict:2', address: otherReceiver, bound: 'require' },
    usual: { url: 'http://usual:3', address: sender },
  })
  t.is(boundAt('http://strict:2/', receiver), 'require')
  t.is(boundAt('http://old:1/', otherReceiver), 'require')
  t.is(boundAt('http://usual:3/', receiver), undefined)
})

test('the place of one that announces itself is where it was found', async (t) => {
  const { boundAt, find } = await given(t, {
    original: { url: 'http://old:1', address: receiver, bound: 'off' },
    kitchen: { url: 'dns-sd://kitchen', address: sender, bound: 'require' },
  })
  t.is(boundAt('http://kitchen:5000/', receiver), 'off')
  await find()
  t.is(boundAt('http://kitchen:5000/', receiver), 'require')
  t.is(boundAt('http://elsewhere/', sender), 'require')
})

test('the place of one that was found by its name alone is known from its pin', async (t) => {
  const { boundAt, find } = await given(t, {
    original: { url: 'http://old:1', address: receiver, bound: 'off' },
    kitchen: { url: 'dns-sd://kitchen', bound: 'require' },
  })
  await find()
  t.is(boundAt('http://kitchen:5000/', receiver), 'require')
  t.is(boundAt('http://elsewhere/', sender), 'require')
})
