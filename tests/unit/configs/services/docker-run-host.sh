docker run --rm --network host -P example/chat
