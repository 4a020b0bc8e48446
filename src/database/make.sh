# shellcheck shell=bash
# Makes database and user, and sees that the application signs in. That pipeline makes the user is noted
# before it is there.
: "${user:?}"
printf '%s\n' "$user" | keep made || exit
make_database
make_user
signs_in || fail 'the application still cannot sign in'
