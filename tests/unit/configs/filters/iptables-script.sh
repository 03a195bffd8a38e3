#!/bin/sh
# 防火墙脚本：视频通话
iptables -P INPUT DROP
iptables -P FORWARD DROP
iptables -A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT
iptables -A INPUT -p udp --dport 10000:10100 -j ACCEPT
for port in 80 443; do
    iptables -A INPUT -p tcp --dport $port -j ACCEPT
done
