// Content of requests, up to a limit.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { readContent } from '../../../platform/web/request.ts'

test('content comes whole up to the limit; of more there is none, and the request is answered', async (t) => {
  const server = createServer(async (request, response) => {
    const content = await readContent(request, 10)
    response.statusCode = content === undefined ? 413 : 200
    response.end(content)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const [body, status, text] of [
    ['', 200, ''],
    ['0123456789', 200, '0123456789'],
    ['0123456789a', 413, ''],
  ] as const) {
    const answer = await fetch(url, { method: 'POST', body })
    t.deepEqual([answer.status, await answer.text()], [status, text])
  }
})
