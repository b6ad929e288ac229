"""Make each reader's mail: personal text, headers and links filled in, and signed.

`reader_mails` takes claimed rows, finds the content that all readers of an issue share, and returns
a signed mail per row; `orders` describes what to sign, as values and as octets for another process;
`assembly` fills in and signs one reader's mail; `pool` runs that in threads of this role or in
signing processes, and gives way to relayed mail.
"""
