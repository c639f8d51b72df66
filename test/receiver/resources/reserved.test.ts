// The receiver's own paths are not for sale, and whoever tries hears it at the start.
import test from 'ava'
import { reservedFor } from '../../../receiver/resources/configuration/reserved.ts'
import { resourcesSchema } from '../../../receiver/resources/configuration/schema.ts'
import { createReceiverServer } from '../../../receiver/server/server.ts'
import { startSystem } from '../../support/system.ts'

const taken = ['/admin', '/admin/', '//admin', '/cm', '/api/1', '/api/1/', '/api/1/*', '/api/1/own']
const free = ['/', '/*', '/api/*', '/api/10', '/admin/*', '/administration', '/cms', '/api/1x']

for (const path of taken) {
  test(`${path} is refused in the configuration, by its key`, (t) => {
    const { error } = resourcesSchema.safeParse({ [path]: { price: '1', files: '/srv' } })
    t.deepEqual(error?.issues[0]?.path, [path])
    t.regex(error?.issues[0]?.message ?? '', /nothing can be sold there/)
  })
}

test('what only looks like one is for sale', (t) => {
  for (const path of free) t.is(reservedFor(path), undefined, path)
})

test('a server is not made with a resource at one of them', async (t) => {
  const { receiver } = await startSystem(t)
  const resource = { path: '/admin', price: 5n, handler: () => 'mine' }
  await t.throwsAsync(createReceiverServer(receiver, [resource]), {
    code: 'resource_path_taken',
    message: /The way to the dashboard is at "\/admin"/,
  })
})
