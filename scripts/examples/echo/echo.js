// Gives back what is in the path.
export function handler(request, reply) {
  return reply.type('text/html; charset=utf-8').send(escapeHtml(request.params.text))
}

/** What a browser would run must not come from the path. */
function escapeHtml(text) {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
