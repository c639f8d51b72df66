# What zsh offers for command lines. It completes only at a terminal, so it gets one; what would be added is
# printed in place of that. Taken: the folder of the completion, the command lines.
zmodload zsh/zpty
zpty shell zsh -f
zpty -w shell "PROMPT=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w shell 'compadd() { local -a _o _d; local _i
  if [[ ${@[(I)-(O|A|D)]} -gt 0 ]]; then builtin compadd "$@"; return; fi
  builtin compadd -A _o "$@"; for _i in $_o; do print -r -- "OFFERED $_i"; done; return 1 }'
zpty -w shell 'bindkey "^I" complete-word; zle -C complete-word complete-word _main_complete; print REA'"''"'DY'
zpty -r shell line '*READY*'
for typed in "${@[2,-1]}"; do
  zpty -w -n shell "$typed"$'\t'
  # The line away again, and a word that tells where its answer ends.
  zpty -w -n shell $'\x15'
  zpty -w shell "print THE''END"
  zpty -r shell line '*THEEND*'
  print -r -- "## $typed"
  print -r -- "$line"
done
