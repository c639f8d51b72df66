// Administration over the network, at an address of its own.
import type { ExecutionContext } from 'ava'
import type { Admin } from '../../receiver/server/admin/admin.ts'
import { createAdminServer } from '../../receiver/server/admin-server.ts'

/** Of a receiver's server that was made with `admin` before. */
export async function listenAdmin(t: ExecutionContext, admin: Admin, port = 0): Promise<string> {
  const server = await createAdminServer({ admin })
  t.teardown(() => server.close())
  return server.listen({ host: '127.0.0.1', port })
}
