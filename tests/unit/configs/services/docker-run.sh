#!/bin/sh
# docker run -p 1:1 never
docker pull example/chat
sudo docker run -dit --name chat --restart=always \
  -p 8172:8172 -p10000-10100:10000-10100/tcp \
  --publish="10200:20200/udp" \
  -p '[::1]:6001:6001' -p "${ADMIN_PORT}:9000" \
  -e 'PASSWORD=hunter2; -p 7:7' -v /srv:/srv:ro \
  example/chat -p 9999:9999
