# shellcheck shell=bash
# Prints the ports on which the host's sshd listens (`port 22`), nothing where its SSH is another program's,
# and the addresses by which it goes out (`address 203.0.113.5`).
settings=$(sshd -T 2>/dev/null) || settings=$(sshd -T -C user=root,host=localhost,addr=127.0.0.1 2>/dev/null)
sed -n 's/^listenaddress .*:\([0-9][0-9]*\)$/port \1/p' <<<"$settings" | sort -u
for target in 192.0.2.1 2001:db8::1; do
  ip -o route get "$target" 2>/dev/null | sed -n 's/.* src \([^ ]*\).*/address \1/p'
done
exit 0
