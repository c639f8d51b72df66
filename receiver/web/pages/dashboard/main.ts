// Loaded by the dashboard's page: asks for a login, then shows the dashboard until it ends.
import { byId, setText, show } from '../../../../platform/web/pages/dom.ts'
import { Refusal } from '../../../../platform/web/pages/session.ts'
import { logIn, token } from './api.ts'
import { runDashboard } from './app.ts'

const login = byId('d-login') as HTMLFormElement
const problem = byId('d-login-problem')

async function enter(): Promise<void> {
  show(login, false)
  await runDashboard(byId('d-main'))
  // Everything of the old login goes with the page.
  location.reload()
}

login.addEventListener('submit', async (event) => {
  event.preventDefault()
  const form = new FormData(login)
  setText(problem, '')
  try {
    await logIn(String(form.get('user')), String(form.get('password')))
    login.reset()
    await enter()
  } catch (error) {
    token.forget()
    const unknown = error instanceof Refusal && error.status === 401
    setText(problem, unknown ? 'User or password is wrong.' : String(error))
  }
})

if (token.saved() === null) {
  show(login, true)
  login.querySelector('input')?.focus()
} else {
  void enter()
}
performance.mark('uraiden-ready')
