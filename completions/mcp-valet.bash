# SPDX-License-Identifier: Apache-2.0
# Completion of mcp-valet for bash; needs nothing but bash itself.

_mcp_valet() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} words=
	local whom='--tenant --client-id --authority-host --ca-file --cache-file --secret-service'
	COMPREPLY=()
	# bash cuts --config=FILE in three words.
	if [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $cur == = ]]; then
		cur=
	fi
	if ((COMP_CWORD == 1)); then
		words='serve check config login logout accounts token stdio allow connect help --help --version'
	else
		case $command,$prev in
		serve,--config | check,--config | serve,--audit | *,--ca-file | *,--cache-file | connect,--*-file)
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
			;;
		# The colons of addresses are words of their own: no help there.
		serve,--listen) return ;;
		login,--prompt) words='login select_account consent' ;;
		login,--output) words='plain json' ;;
		accounts,--output) words='table json' ;;
		token,--output) words='json plain' ;;
		connect,--callback-host) words='127.0.0.1 localhost' ;;
		stdio,--consent) words='first-use always never' ;;
		stdio,--select | stdio,--graph-url | stdio,--cache-ttl | stdio,--timeout | stdio,--token-env) return ;;
		# Names and ids are the person's; to list accounts could ask them to
		# unlock a keyring.
		connect,--issuer | connect,--*-url | connect,--callback-port | connect,--token-env | connect,--timeout) return ;;
		*,--account | *,--scope | *,--claims | *,--tenant | *,--client-id | *,--authority-host) return ;;
		serve,*) words='--config --dev --listen --audit' ;;
		check,*) words=--config ;;
		login,*) words="--device-code --browser --broker --account --scope --prompt --claims --output $whom" ;;
		logout,*) words="--account --all $whom" ;;
		accounts,*) words="--output $whom" ;;
		token,*) words="--scope --account --output --renew --claims $whom" ;;
		connect,*)
			words='--client-id --client-secret-file --client-key-file --issuer --client-metadata-url'
			words+=' --client-credentials --scope --callback-port --callback-host --token-file --token-env'
			words+=' --cache-file --secret-service --no-cache --sign-in --forget --ca-file --timeout --quiet'
			;;
		config,config) words='sample options schema man' ;;
		stdio,*) words="--scope --account --select --graph-url --cache-ttl --device-code --browser --broker --timeout --consent --token-env $whom" ;;
		allow,*) words='--scope --account --list --forget' ;;
		help,help) words='serve check config login logout accounts token stdio allow connect' ;;
		esac
		# It is understood in this place only.
		((COMP_CWORD == 2)) && [[ $command != help ]] && words+=' --help'
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _mcp_valet mcp-valet
