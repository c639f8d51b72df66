import test from 'ava'
import { resolveUrl } from '../../../../agent/program/configuration/receivers.ts'

test('a URL may begin with a receiver’s name', (t) => {
  const config = { receivers: { 'a-b': { url: 'http://h:5/base/' } } }
  t.is(resolveUrl(config, 'a-b/x/y?z=1').href, 'http://h:5/base/x/y?z=1')
  t.is(resolveUrl(config, 'http://other/x').href, 'http://other/x')
  for (const text of ['c/x', 'constructor/x', 'ftp://x', 'http://', '']) {
    t.throws(() => resolveUrl(config, text), { code: 'not_a_url' }, text)
  }
})
