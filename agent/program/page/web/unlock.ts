// Asks for the token that allows actions.
import { h, setText } from '../../../../platform/web/pages/dom.ts'
import { showToken } from './api.ts'

/** Resolves with true when the right token was given. */
export function unlocked(): Promise<boolean> {
  const input = h('input', { name: 'token', type: 'password', autocomplete: 'off', required: true })
  const problem = h('p', { class: 'd-bad', role: 'alert' })
  const form = h(
    'form',
    { class: 'a-unlock' },
    h('h2', { id: 'a-unlock-title' }, 'Allow actions'),
    h('p', {}, 'The token is the first line of the file that page.token names in agent.yaml.'),
    h('label', {}, 'Token ', input),
    problem,
    h(
      'div',
      { class: 'd-row' },
      h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
      h('button', { class: 'd-primary' }, 'Allow'),
    ),
  )
  const dialog = h('dialog', { class: 'd-dialog', 'aria-labelledby': 'a-unlock-title' }, form)
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    setText(problem, '')
    try {
      await showToken(input.value.trim())
      dialog.close('yes')
    } catch (error) {
      setText(problem, error instanceof Error ? error.message : String(error))
      input.select()
    }
  })
  document.body.append(dialog)
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(dialog.returnValue === 'yes')
    })
  })
}
