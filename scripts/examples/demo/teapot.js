// A resource may have a status of its own (RFC 2324); below 500 it is paid for like any other.
export function handler(_request, reply) {
  return reply.code(418).send('I am a teapot.\n')
}
