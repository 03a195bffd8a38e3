<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN">
<context>
    <name>Answerers</name>
    <message>
        <source>Before the test: somebody must answer</source>
        <translation>测试之前：要有应答的一方</translation>
    </message>
    <message>
        <source>A port can only be proven open by an answer. On the service&apos;s host, start the responder: it answers this project&apos;s signed probes on every planned port that your service does not hold itself.</source>
        <translation>只有收到应答才能证实端口畅通。请在服务所在的主机上启动应答程序：凡是服务自己没有占用的计划端口，它都会应答本项目带签名的探测。</translation>
    </message>
    <message>
        <source>The host needs this project&apos;s file as it is now: copy it there again when hops or ports change.</source>
        <translation>主机上要有本项目文件的当前版本：路径或端口改动后请重新复制过去。</translation>
    </message>
    <message>
        <source>Copy as &amp;one line for its shell</source>
        <translation>复制为一行命令(&amp;O)</translation>
    </message>
    <message>
        <source>One long line to paste into a shell on the service&apos;s host. It needs Python 3.8 or newer and nothing else. With sudo in front it also sees what the host&apos;s own firewall stops.</source>
        <translation>一行长命令，粘贴到服务所在主机的终端即可。只需要 Python 3.8 或更新版本。前面加上 sudo，还能看到被主机自身防火墙拦下的探测。</translation>
    </message>
    <message>
        <source>&amp;Save as a script for a bare host…</source>
        <translation>保存为脚本，用于未安装的主机(&amp;S)…</translation>
    </message>
    <message>
        <source>One Python file. Nothing has to be installed on the host.</source>
        <translation>单个 Python 文件，主机上无需安装任何东西。</translation>
    </message>
    <message>
        <source>Add a result from &amp;another computer…</source>
        <translation>添加另一台电脑的结果(&amp;A)…</translation>
    </message>
    <message>
        <source>The JSON that hopwise check --json or hopwise respond --json printed.</source>
        <translation>hopwise check --json 或 hopwise respond --json 输出的 JSON。</translation>
    </message>
    <message>
        <source>This computer is the service&apos;s host: answer &amp;here</source>
        <translation>本机就是服务所在的主机：在这里应答(&amp;H)</translation>
    </message>
    <message>
        <source>Log in to the service&apos;s host o&amp;ver SSH and answer there during each test</source>
        <translation>每次测试期间经 SSH 登录服务所在主机并在那里应答(&amp;V)</translation>
    </message>
    <message>
        <source>SSH &amp;destination of the service&apos;s host</source>
        <translation>服务所在主机的 SSH 目标(&amp;D)</translation>
    </message>
    <message>
        <source>user@host, user@host:port, or a Host of your SSH configuration. Nothing is installed there and nothing stays. As root, the responder also sees which tests reach the host and are stopped by its firewall.</source>
        <translation>user@host、user@host:端口，或 SSH 配置中的 Host。那里不会安装任何东西，也不会留下任何东西。若以 root 登录，应答程序还能看到哪些测试到达了主机却被其防火墙拦下。</translation>
    </message>
    <message>
        <source>Write user@host</source>
        <translation>请写 user@host</translation>
    </message>
    <message>
        <source>Stop wa&amp;iting</source>
        <translation>停止等待(&amp;I)</translation>
    </message>
    <message>
        <source>Wa&amp;it until it answers</source>
        <translation>等待它应答(&amp;I)</translation>
    </message>
    <message numerus="yes">
        <source>Answers on %n port(s) here.</source>
        <translation>
            <numerusform>正在本机的 %n 个端口上应答。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n port(s) are held by a program, which is left alone.</source>
        <translation>
            <numerusform>%n 个端口已被程序占用，不去打扰它。</numerusform>
        </translation>
    </message>
    <message>
        <source>This computer is the service&apos;s host: during each test it answers by itself.</source>
        <translation>本机就是服务所在的主机：每次测试期间会自动应答。</translation>
    </message>
    <message numerus="yes">
        <source>%n observation(s) of other computers count from the next test on.</source>
        <translation>
            <numerusform>其他电脑的 %n 条观测从下次测试起计入。</numerusform>
        </translation>
    </message>
    <message>
        <source>Without root, only what gets in is seen.</source>
        <translation>没有 root 权限，只能看到进得来的探测。</translation>
    </message>
    <message numerus="yes">
        <source>Probes of %n port(s) were answered.</source>
        <translation>
            <numerusform>已应答 %n 个端口的探测。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Probes of %n port(s) got as far as the network card and no further.</source>
        <translation>
            <numerusform>%n 个端口的探测到了网卡就没再往里走。</numerusform>
        </translation>
    </message>
    <message>
        <source>✔ The responder answers ({port}). Press Test.</source>
        <translation>✔ 应答程序已应答（{port}）。请点“测试”。</translation>
    </message>
    <message numerus="yes">
        <source>Waiting for the responder; asked %n time(s).</source>
        <translation>
            <numerusform>正在等待应答程序；已询问 %n 次。</numerusform>
        </translation>
    </message>
    <message>
        <source>If it says “ready” there, press Test: something on the way stops what is asked, and the test finds it.</source>
        <translation>如果那边显示“ready”，请点“测试”：路上有什么拦住了询问，测试会找出来。</translation>
    </message>
</context>
<context>
    <name>App</name>
    <message>
        <source>Hopwise has met a fault of its own</source>
        <translation>Hopwise 自身出了故障</translation>
    </message>
</context>
<context>
    <name>Asking</name>
    <message>
        <source>There is a file {name} already. Replace it?</source>
        <translation>已有文件 {name}。要替换它吗？</translation>
    </message>
    <message>
        <source>&amp;Replace</source>
        <translation>替换(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Cancel</source>
        <translation>取消(&amp;C)</translation>
    </message>
</context>
<context>
    <name>AuthorityRow</name>
    <message>
        <source>Own authority…</source>
        <translation>自有证书颁发机构…</translation>
    </message>
    <message>
        <source>A file in PEM with the certificates of who signed those of your servers.</source>
        <translation>一个 PEM 文件，内含为您的服务器签发证书的机构的证书。</translation>
    </message>
    <message>
        <source>As this computer</source>
        <translation>与本机一致</translation>
    </message>
    <message>
        <source>TLS: certificates are checked as this computer does.</source>
        <translation>TLS：按本机的方式检查证书。</translation>
    </message>
    <message>
        <source>TLS: only the authorities in {file} are believed.</source>
        <translation>TLS：只信任 {file} 中的机构。</translation>
    </message>
    <message>
        <source>Authority that signed the certificates</source>
        <translation>签发证书的机构</translation>
    </message>
    <message>
        <source>Certificates (*.pem *.crt *.cer);;All files (*)</source>
        <translation>证书 (*.pem *.crt *.cer);;所有文件 (*)</translation>
    </message>
</context>
<context>
    <name>BenchPage</name>
    <message>
        <source>Does my STUN or TURN server work?</source>
        <translation>我的 STUN 或 TURN 服务器能用吗？</translation>
    </message>
    <message>
        <source>Testing…</source>
        <translation>正在测试…</translation>
    </message>
    <message>
        <source>Hopwise asks it as a browser would, and tells what it answers. It contacts nobody else.</source>
        <translation>Hopwise 像浏览器一样询问服务器，并说明它的回答。除此之外不联系任何人。</translation>
    </message>
    <message>
        <source>&amp;Gather</source>
        <translation>收集(&amp;G)</translation>
    </message>
    <message>
        <source>S&amp;end packets</source>
        <translation>发送数据包(&amp;E)</translation>
    </message>
    <message>
        <source>&amp;Measure</source>
        <translation>测量(&amp;M)</translation>
    </message>
    <message>
        <source>Aud&amp;it</source>
        <translation>审计(&amp;I)</translation>
    </message>
    <message>
        <source>Candidates</source>
        <translation>候选地址</translation>
    </message>
    <message>
        <source>Does it carry a call?</source>
        <translation>能承载通话吗？</translation>
    </message>
    <message>
        <source>My NAT</source>
        <translation>我的 NAT</translation>
    </message>
    <message>
        <source>Security audit</source>
        <translation>安全审计</translation>
    </message>
    <message>
        <source>Relays only, as with iceTransportPolicy: relay</source>
        <translation>仅中继，如同 iceTransportPolicy: relay</translation>
    </message>
    <message>
        <source>Measure how long a mapping lives, too (takes up to ten minutes)</source>
        <translation>同时测量映射能保持多久（最多需要十分钟）</translation>
    </message>
    <message>
        <source>This server is mine: its limits may be tried</source>
        <translation>这台服务器是我的：可以试探它的限制</translation>
    </message>
    <message>
        <source>Audit a turnserver.conf…</source>
        <translation>审计 turnserver.conf…</translation>
    </message>
    <message>
        <source>Sto&amp;p</source>
        <translation>停止(&amp;P)</translation>
    </message>
    <message>
        <source>Save report</source>
        <translation>保存报告</translation>
    </message>
    <message>
        <source>As PDF…</source>
        <translation>存为 PDF…</translation>
    </message>
    <message>
        <source>As JSON…</source>
        <translation>存为 JSON…</translation>
    </message>
    <message>
        <source>As Markdown…</source>
        <translation>存为 Markdown…</translation>
    </message>
    <message>
        <source>Leave out addresses and names</source>
        <translation>隐去地址和名称</translation>
    </message>
    <message>
        <source>Stopped before the end: what is missing was not tested.</source>
        <translation>已提前停止：缺少的部分没有测试。</translation>
    </message>
    <message>
        <source>Another test runs; this one can begin when it has ended.</source>
        <translation>另一项测试正在进行，结束后才能开始这一项。</translation>
    </message>
    <message>
        <source>The behaviour of a NAT is measured over UDP: list a STUN or TURN server that speaks it.</source>
        <translation>NAT 的行为通过 UDP 测量：请列出一台使用 UDP 的 STUN 或 TURN 服务器。</translation>
    </message>
    <message>
        <source>List a TURN server for this: a STUN server relays nothing.</source>
        <translation>这项测试需要 TURN 服务器：STUN 服务器不做中继。</translation>
    </message>
    <message>
        <source>{count} of {all} sessions, loss {loss} %</source>
        <translation>{count} / {all} 个会话，丢包 {loss} %</translation>
    </message>
    <message>
        <source>Sends up to {count} MB through the server.</source>
        <translation>最多经服务器发送 {count} MB。</translation>
    </message>
    <message>
        <source>It is tried only if you say that the server is yours.</source>
        <translation>只有在您确认服务器属于自己时才会试探。</translation>
    </message>
    <message>
        <source>IPv4 and IPv6</source>
        <translation>IPv4 和 IPv6</translation>
    </message>
    <message>
        <source>IPv4 only</source>
        <translation>仅 IPv4</translation>
    </message>
    <message>
        <source>IPv6 only</source>
        <translation>仅 IPv6</translation>
    </message>
    <message>
        <source>Address family</source>
        <translation>地址族</translation>
    </message>
    <message>
        <source>Network interface</source>
        <translation>网络接口</translation>
    </message>
    <message>
        <source>As this computer routes</source>
        <translation>由本机路由决定</translation>
    </message>
    <message>
        <source>TURN server</source>
        <translation>TURN 服务器</translation>
    </message>
    <message>
        <source>Capacity</source>
        <translation>容量</translation>
    </message>
    <message>
        <source>{count} sessions of {mbit} Mbit/s</source>
        <translation>{count} 个会话，每个 {mbit} Mbit/s</translation>
    </message>
    <message>
        <source>Not tried</source>
        <translation>不试探</translation>
    </message>
    <message>
        <source>Servers from a file</source>
        <translation>从文件读取服务器</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>所有文件 (*)</translation>
    </message>
    <message>
        <source>Audit a turnserver.conf</source>
        <translation>审计 turnserver.conf</translation>
    </message>
</context>
<context>
    <name>BenchReport</name>
    <message>
        <source>PDF (*.pdf)</source>
        <translation>PDF (*.pdf)</translation>
    </message>
    <message>
        <source>JSON (*.json)</source>
        <translation>JSON (*.json)</translation>
    </message>
    <message>
        <source>Markdown (*.md)</source>
        <translation>Markdown (*.md)</translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation>保存报告</translation>
    </message>
    <message>
        <source>Saved as {path}</source>
        <translation>已保存为 {path}</translation>
    </message>
</context>
<context>
    <name>BenchWindow</name>
    <message>
        <source>TURN bench — Hopwise</source>
        <translation>TURN 测试台 — Hopwise</translation>
    </message>
</context>
<context>
    <name>Changes</name>
    <message>
        <source>Since when</source>
        <translation>状态持续时间</translation>
    </message>
    <message>
        <source>{hop}: {state} since {time}</source>
        <translation>{hop}：自 {time} 起{state}</translation>
    </message>
    <message>
        <source>What has changed</source>
        <translation>变化记录</translation>
    </message>
</context>
<context>
    <name>ConfigActions</name>
    <message>
        <source>Configuration files</source>
        <translation>配置文件</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>所有文件 (*)</translation>
    </message>
    <message>
        <source>My service</source>
        <translation>我的服务</translation>
    </message>
    <message>
        <source>Which hop is it of?</source>
        <translation>它属于哪一跳？</translation>
    </message>
    <message>
        <source>{file} could configure several hops.</source>
        <translation>{file} 可能是好几跳的配置。</translation>
    </message>
    <message>
        <source>&amp;Cancel</source>
        <translation>取消(&amp;C)</translation>
    </message>
    <message>
        <source>Keep it in a file</source>
        <translation>保存到文件</translation>
    </message>
    <message>
        <source>Read this computer&apos;s rules</source>
        <translation>读取本机的规则</translation>
    </message>
    <message>
        <source>Is it this hop? These commands change nothing. What they print is kept beside the project.</source>
        <translation>本机就是这一跳吗？这些命令不会改动任何东西，输出会保存在项目旁边。</translation>
    </message>
    <message>
        <source>&amp;Run them</source>
        <translation>运行(&amp;R)</translation>
    </message>
    <message>
        <source>This computer has none of these commands.</source>
        <translation>本机没有这些命令。</translation>
    </message>
    <message>
        <source>That did not work</source>
        <translation>没有成功</translation>
    </message>
    <message>
        <source>&amp;Close</source>
        <translation>关闭(&amp;C)</translation>
    </message>
</context>
<context>
    <name>ConfigCard</name>
    <message>
        <source>Its configuration</source>
        <translation>它的配置</translation>
    </message>
    <message>
        <source>Add a fi&amp;le…</source>
        <translation>添加文件(&amp;L)…</translation>
    </message>
    <message>
        <source>Pa&amp;ste…</source>
        <translation>粘贴(&amp;S)…</translation>
    </message>
    <message>
        <source>Read this &amp;computer&apos;s…</source>
        <translation>读取本机的(&amp;C)…</translation>
    </message>
    <message>
        <source>&amp;Write what it lacks for</source>
        <translation>写出所缺的规则(&amp;W)，用于</translation>
    </message>
    <message>
        <source>And this takes it back:</source>
        <translation>撤销的方法：</translation>
    </message>
    <message>
        <source>Add the file that this hop runs with, or what a command printed. Nothing is sent.</source>
        <translation>添加这一跳正在使用的文件，或某个命令的输出。不会发送任何数据。</translation>
    </message>
    <message>
        <source>Save the project first: what is read is kept beside it.</source>
        <translation>请先保存项目：读到的内容会保存在它旁边。</translation>
    </message>
    <message>
        <source>Take off</source>
        <translation>去掉</translation>
    </message>
    <message>
        <source>Take {file} off this hop</source>
        <translation>从这一跳去掉 {file}</translation>
    </message>
    <message>
        <source>choose a product</source>
        <translation>请选择产品</translation>
    </message>
    <message>
        <source>It lacks nothing.</source>
        <translation>什么都不缺。</translation>
    </message>
</context>
<context>
    <name>Copied</name>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copy these lines</source>
        <translation>复制这几行</translation>
    </message>
    <message>
        <source>Lines to copy</source>
        <translation>可复制的内容</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
</context>
<context>
    <name>Elsewhere</name>
    <message>
        <source>From outside, without a server: change the network</source>
        <translation>不用服务器也能从外部测试：换一个网络</translation>
    </message>
    <message>
        <source>Put this computer on another network, such as a phone&apos;s hotspot (not the guest network of the same router), and test again. The responder must go on running on the service&apos;s host. What was seen before stays part of the verdict.</source>
        <translation>把本机接到另一个网络（例如手机热点，不要用同一台路由器的访客网络），然后再测试一次。服务所在主机上的应答程序要继续运行。之前看到的结果仍会计入结论。</translation>
    </message>
    <message>
        <source>Or ask somebody elsewhere: send them this project&apos;s file. They run this, and send back result.json, which you drop onto this window.</source>
        <translation>也可以请别处的人帮忙：把本项目的文件发给对方，对方运行下面的命令并发回 result.json，您把它拖到本窗口即可。</translation>
    </message>
    <message>
        <source>Save the pro&amp;ject…</source>
        <translation>保存项目(&amp;J)…</translation>
    </message>
    <message>
        <source>Stay on this network</source>
        <translation>留在当前网络</translation>
    </message>
    <message>
        <source>I change the network &amp;now</source>
        <translation>我现在换网络(&amp;N)</translation>
    </message>
    <message>
        <source>✔ The network has changed: now {network}. Press Test.</source>
        <translation>✔ 网络已更换：现在是 {network}。请点“测试”。</translation>
    </message>
    <message>
        <source>This computer is on no network now. Join the other one.</source>
        <translation>本机现在没有接入任何网络。请接入另一个网络。</translation>
    </message>
    <message>
        <source>Waiting for another network. Now it is {network}; join the other one.</source>
        <translation>正在等待另一个网络。现在是 {network}；请接入另一个网络。</translation>
    </message>
</context>
<context>
    <name>FileActions</name>
    <message>
        <source>Unsaved project</source>
        <translation>项目尚未保存</translation>
    </message>
    <message>
        <source>Save “{name}” first?</source>
        <translation>先保存“{name}”吗？</translation>
    </message>
    <message>
        <source>&amp;Save</source>
        <translation>保存(&amp;S)</translation>
    </message>
    <message>
        <source>&amp;Do not save</source>
        <translation>不保存(&amp;D)</translation>
    </message>
    <message>
        <source>&amp;Cancel</source>
        <translation>取消(&amp;C)</translation>
    </message>
    <message>
        <source>a project without a name</source>
        <translation>未命名的项目</translation>
    </message>
    <message>
        <source>Unsaved work was found</source>
        <translation>发现未保存的内容</translation>
    </message>
    <message>
        <source>Hopwise ended before “{name}” was saved.</source>
        <translation>Hopwise 上次结束时，“{name}”尚未保存。</translation>
    </message>
    <message>
        <source>&amp;Go on with it</source>
        <translation>继续编辑(&amp;G)</translation>
    </message>
    <message>
        <source>&amp;Throw it away</source>
        <translation>丢弃(&amp;T)</translation>
    </message>
    <message>
        <source>&amp;Not now</source>
        <translation>以后再说(&amp;N)</translation>
    </message>
    <message>
        <source>Open a project</source>
        <translation>打开项目</translation>
    </message>
    <message>
        <source>Save the project</source>
        <translation>保存项目</translation>
    </message>
    <message>
        <source>Save the responder</source>
        <translation>保存应答程序</translation>
    </message>
    <message>
        <source>Python scripts (*.py)</source>
        <translation>Python 脚本 (*.py)</translation>
    </message>
    <message>
        <source>The responder is saved</source>
        <translation>应答程序已保存</translation>
    </message>
    <message>
        <source>Copy it to the service&apos;s host and run it there:</source>
        <translation>把它复制到服务所在的主机，并在那里运行：</translation>
    </message>
    <message>
        <source>Add a result</source>
        <translation>添加结果</translation>
    </message>
    <message>
        <source>Results (*.json *.jsonl *.txt)</source>
        <translation>结果 (*.json *.jsonl *.txt)</translation>
    </message>
    <message>
        <source>{path}: the file is far too large to be a result</source>
        <translation>{path}：文件太大，不可能是测试结果</translation>
    </message>
    <message>
        <source>PDF (*.pdf)</source>
        <translation>PDF (*.pdf)</translation>
    </message>
    <message>
        <source>JSON (*.json)</source>
        <translation>JSON (*.json)</translation>
    </message>
    <message>
        <source>Markdown (*.md)</source>
        <translation>Markdown (*.md)</translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation>保存报告</translation>
    </message>
    <message>
        <source>Hopwise projects (*.toml)</source>
        <translation>Hopwise 项目 (*.toml)</translation>
    </message>
    <message>
        <source>That did not work</source>
        <translation>没有成功</translation>
    </message>
    <message>
        <source>&amp;Close</source>
        <translation>关闭(&amp;C)</translation>
    </message>
    <message>
        <source>There is too little in {path} to go on with.</source>
        <translation>{path} 中的内容太少，无法继续。</translation>
    </message>
</context>
<context>
    <name>FindingCard</name>
    <message>
        <source>How we know</source>
        <translation>依据</translation>
    </message>
    <message>
        <source>What to do</source>
        <translation>解决办法</translation>
    </message>
    <message>
        <source>What would tell more</source>
        <translation>怎样能知道得更多</translation>
    </message>
    <message>
        <source>Show me where</source>
        <translation>指给我看</translation>
    </message>
    <message>
        <source>Show {hop}</source>
        <translation>指出“{hop}”</translation>
    </message>
    <message>
        <source>What to enter in the router</source>
        <translation>在路由器里填什么</translation>
    </message>
</context>
<context>
    <name>FixPage</name>
    <message>
        <source>What is wrong, and how do I mend it?</source>
        <translation>哪里有问题，怎样解决？</translation>
    </message>
    <message>
        <source>&amp;Report</source>
        <translation>报告(&amp;R)</translation>
    </message>
    <message>
        <source>Test a&amp;gain</source>
        <translation>重新测试(&amp;G)</translation>
    </message>
    <message>
        <source>&amp;Ask the router…</source>
        <translation>询问路由器(&amp;A)…</translation>
    </message>
    <message>
        <source>Nothing was found that needs mending.</source>
        <translation>没有发现需要解决的问题。</translation>
    </message>
</context>
<context>
    <name>Hardening</name>
    <message>
        <source>Save with its holes closed…</source>
        <translation>另存为堵住漏洞的配置…</translation>
    </message>
    <message>
        <source>Writes a new turnserver.conf; the old one is not touched.</source>
        <translation>写入一个新的 turnserver.conf；原文件不变。</translation>
    </message>
    <message>
        <source>Save the safer configuration</source>
        <translation>保存更安全的配置</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>所有文件 (*)</translation>
    </message>
</context>
<context>
    <name>HopWords</name>
    <message>
        <source>Provider&apos;s NAT (CGNAT)</source>
        <translation>运营商 NAT（CGNAT）</translation>
    </message>
    <message>
        <source>Cloud security group</source>
        <translation>云安全组</translation>
    </message>
    <message>
        <source>Home router</source>
        <translation>家用路由器</translation>
    </message>
    <message>
        <source>Firewall</source>
        <translation>防火墙</translation>
    </message>
    <message>
        <source>Tunnel server</source>
        <translation>隧道服务端</translation>
    </message>
    <message>
        <source>Tunnel client</source>
        <translation>隧道客户端</translation>
    </message>
    <message>
        <source>Container</source>
        <translation>容器</translation>
    </message>
    <message>
        <source>Service</source>
        <translation>服务</translation>
    </message>
    <message>
        <source>Your provider shares one public address among customers. Nobody outside can get in through it unless the provider forwards the port.</source>
        <translation>运营商让多个客户共用一个公网地址。除非运营商转发端口，外面的人无法由此进来。</translation>
    </message>
    <message>
        <source>The rules of a cloud provider, in front of the host. They let ports through or drop them.</source>
        <translation>云服务商在主机之前设置的规则，决定端口放行还是丢弃。</translation>
    </message>
    <message>
        <source>Translates between the internet and your network. Every port needs a forwarding rule in it.</source>
        <translation>在互联网和您的网络之间转换地址。每个端口都要有一条转发规则。</translation>
    </message>
    <message>
        <source>Rules on a host, such as ufw, nftables or iptables. It lets ports through, drops or rejects them.</source>
        <translation>主机上的规则，例如 ufw、nftables 或 iptables，决定端口放行、丢弃还是拒绝。</translation>
    </message>
    <message>
        <source>The public end of a tunnel, such as frps on a rented host. It takes connections and hands them on.</source>
        <translation>隧道的公网一端，例如租用主机上的 frps。它接受连接并向内转交。</translation>
    </message>
    <message>
        <source>The home end of a tunnel, such as frpc. It connects to your service for each port that it knows.</source>
        <translation>隧道的家中一端，例如 frpc。它为已配置的每个端口连接您的服务。</translation>
    </message>
    <message>
        <source>Docker, Podman or Kubernetes. Only published ports get in, each for udp or for tcp.</source>
        <translation>Docker、Podman 或 Kubernetes。只有已发布的端口能进入，udp 和 tcp 要分别发布。</translation>
    </message>
    <message>
        <source>The program itself. It must listen on the ports, and not only on loopback.</source>
        <translation>程序本身。它必须监听这些端口，而且不能只监听回环地址。</translation>
    </message>
</context>
<context>
    <name>LogWords</name>
    <message>
        <source>Not tested from {place}. {reason}</source>
        <translation>未从 {place} 测试。{reason}</translation>
    </message>
    <message>
        <source>no address</source>
        <translation>没有地址</translation>
    </message>
    <message>
        <source>DNS, IPv{family}: {name} → {found}</source>
        <translation>DNS，IPv{family}：{name} → {found}</translation>
    </message>
    <message>
        <source>The listening sockets of this computer were read: {count}</source>
        <translation>已读取本机的监听套接字：{count} 个</translation>
    </message>
    <message>
        <source>Relay {server}: {said}</source>
        <translation>中继 {server}：{said}</translation>
    </message>
    <message>
        <source>Gateway {address} on {interface}: {said}</source>
        <translation>网关 {address}（接口 {interface}）：{said}</translation>
    </message>
    <message>
        <source>no outer address told</source>
        <translation>未告知外部地址</translation>
    </message>
    <message>
        <source>{server} sees this computer at {address}</source>
        <translation>{server} 看到本机的地址是 {address}</translation>
    </message>
</context>
<context>
    <name>Menus</name>
    <message>
        <source>&amp;File</source>
        <translation>文件(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;New…</source>
        <translation>新建(&amp;N)…</translation>
    </message>
    <message>
        <source>&amp;Open…</source>
        <translation>打开(&amp;O)…</translation>
    </message>
    <message>
        <source>Open &amp;recent</source>
        <translation>最近打开(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Save</source>
        <translation>保存(&amp;S)</translation>
    </message>
    <message>
        <source>Save &amp;as…</source>
        <translation>另存为(&amp;A)…</translation>
    </message>
    <message>
        <source>&amp;TURN bench</source>
        <translation>TURN 测试台(&amp;T)</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>退出(&amp;Q)</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>编辑(&amp;E)</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>撤销(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>重做(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>查看(&amp;V)</translation>
    </message>
    <message>
        <source>Loo&amp;k</source>
        <translation>外观(&amp;K)</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>None yet</source>
        <translation>还没有</translation>
    </message>
</context>
<context>
    <name>OriginPage</name>
    <message>
        <source>Where should the tests come from?</source>
        <translation>从哪里发起测试？</translation>
    </message>
    <message>
        <source>A test from outside shows whether people reach you; each further place inside helps to name the hop.</source>
        <translation>从外部测试能知道别人是否连得上；内部每多一处，就更容易指出是哪一跳。</translation>
    </message>
    <message>
        <source>&amp;Test</source>
        <translation>测试(&amp;T)</translation>
    </message>
    <message>
        <source>The path, with the places that tests come from</source>
        <translation>路径，以及发起测试的位置</translation>
    </message>
    <message>
        <source>Places to test from</source>
        <translation>发起测试的位置</translation>
    </message>
    <message>
        <source>&amp;Add a place</source>
        <translation>添加位置(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Remove</source>
        <translation>移除(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Name</source>
        <translation>名称(&amp;N)</translation>
    </message>
    <message>
        <source>It stan&amp;ds</source>
        <translation>所在位置(&amp;D)</translation>
    </message>
    <message>
        <source>&amp;User name</source>
        <translation>用户名(&amp;U)</translation>
    </message>
    <message>
        <source>Pass&amp;word</source>
        <translation>密码(&amp;W)</translation>
    </message>
    <message>
        <source>No place is named yet, so this computer is taken to be the service&apos;s own host. Such a test cannot see what the router does.

Add this computer where it really stands: outside of everything if it is on another network, such as a phone&apos;s; behind the router if it is in the same home. Or add a server on the internet that sends the tests for you: a TURN relay, or a host that you log in to over SSH.</source>
        <translation>还没有指定位置，因此把本机当作服务所在的主机。这样的测试看不到路由器的情况。

请按本机的实际位置添加：如果在另一个网络上（例如手机热点），就是在一切之外；如果在同一个家里，就是在路由器之后。也可以添加一台在互联网上替您发送测试的服务器：TURN 中继，或您能经 SSH 登录的主机。</translation>
    </message>
    <message>
        <source>SSH de&amp;stination</source>
        <translation>SSH 目标(&amp;S)</translation>
    </message>
    <message>
        <source>user@host, user@host:port, or a Host of your SSH configuration</source>
        <translation>user@host、user@host:端口，或 SSH 配置中的 Host</translation>
    </message>
    <message>
        <source>A computer that runs Hopwise, such as this one</source>
        <translation>运行 Hopwise 的电脑，例如本机</translation>
    </message>
    <message>
        <source>A TURN relay on the internet</source>
        <translation>互联网上的 TURN 中继</translation>
    </message>
    <message>
        <source>A host that you log in to over SSH</source>
        <translation>您能经 SSH 登录的主机</translation>
    </message>
    <message>
        <source>behind {hop}</source>
        <translation>在“{hop}”之后</translation>
    </message>
    <message>
        <source>outside of everything</source>
        <translation>在一切之外</translation>
    </message>
    <message>
        <source>TURN &amp;server</source>
        <translation>TURN 服务器(&amp;S)</translation>
    </message>
    <message>
        <source>For example turn:198.51.100.7:3478?transport=udp</source>
        <translation>例如 turn:198.51.100.7:3478?transport=udp</translation>
    </message>
    <message>
        <source>The password is kept in this system&apos;s keyring, never in the project file.</source>
        <translation>密码保存在系统的密钥环中，绝不写入项目文件。</translation>
    </message>
    <message>
        <source>This system has no keyring that Hopwise can use. The password stays in memory and is forgotten when Hopwise is closed.</source>
        <translation>本系统没有 Hopwise 可用的密钥环。密码只留在内存中，关闭 Hopwise 后即被忘记。</translation>
    </message>
    <message>
        <source>The keyring is locked. The password stays in memory and is forgotten when Hopwise is closed.</source>
        <translation>密钥环已锁定。密码只留在内存中，关闭 Hopwise 后即被忘记。</translation>
    </message>
    <message>
        <source>The keyring did not work. The password stays in memory and is forgotten when Hopwise is closed.</source>
        <translation>密钥环无法使用。密码只留在内存中，关闭 Hopwise 后即被忘记。</translation>
    </message>
</context>
<context>
    <name>PasteDialog</name>
    <message>
        <source>Paste a configuration</source>
        <translation>粘贴配置</translation>
    </message>
    <message>
        <source>A file, or what a command printed</source>
        <translation>一个文件，或某个命令的输出</translation>
    </message>
    <message>
        <source>&amp;Keep it…</source>
        <translation>保存(&amp;K)…</translation>
    </message>
    <message>
        <source>&amp;Cancel</source>
        <translation>取消(&amp;C)</translation>
    </message>
    <message>
        <source>this text</source>
        <translation>这段文字</translation>
    </message>
</context>
<context>
    <name>PathPage</name>
    <message>
        <source>What does a packet pass on its way in?</source>
        <translation>数据包进来时要经过什么？</translation>
    </message>
    <message>
        <source>From the internet on the left to your service on the right. Leave out what you do not have.</source>
        <translation>左边是互联网，右边是您的服务。没有的环节就不用列出。</translation>
    </message>
    <message>
        <source>&amp;Ports</source>
        <translation>端口(&amp;P)</translation>
    </message>
    <message>
        <source>The path; arrow keys choose a hop</source>
        <translation>路径；用方向键选择一跳</translation>
    </message>
    <message>
        <source>&amp;Add a hop before it</source>
        <translation>在前面添加一跳(&amp;A)</translation>
    </message>
    <message>
        <source>← Move &amp;outward</source>
        <translation>← 向外移(&amp;O)</translation>
    </message>
    <message>
        <source>Move &amp;inward →</source>
        <translation>向内移(&amp;I) →</translation>
    </message>
    <message>
        <source>&amp;Remove</source>
        <translation>移除(&amp;R)</translation>
    </message>
    <message>
        <source>Take this hop out (Ctrl+Delete). Ctrl+Z brings it back.</source>
        <translation>移除这一跳（Ctrl+Delete）。按 Ctrl+Z 可恢复。</translation>
    </message>
    <message>
        <source>What to en&amp;ter in this router…</source>
        <translation>这台路由器要填什么(&amp;T)…</translation>
    </message>
    <message>
        <source>&amp;Kind of hop</source>
        <translation>类型(&amp;K)</translation>
    </message>
    <message>
        <source>&amp;Name</source>
        <translation>名称(&amp;N)</translation>
    </message>
    <message>
        <source>A&amp;ddress</source>
        <translation>地址(&amp;D)</translation>
    </message>
    <message>
        <source>Where it can be reached by itself. Leave it empty if it cannot.</source>
        <translation>可以单独访问它的地址。如果不能单独访问，请留空。</translation>
    </message>
    <message>
        <source>Hop {number} of {count}</source>
        <translation>第 {number} 跳，共 {count} 跳</translation>
    </message>
</context>
<context>
    <name>PlaceWords</name>
    <message>
        <source>✔ Tests can be sent from here by this computer.</source>
        <translation>✔ 本机可以从这里发起测试。</translation>
    </message>
    <message>
        <source>During a test this computer logs in there by itself, as ssh does: with a key of yours, without a question. The host only lends its sockets: nothing is installed there and nothing stays. It needs Python 3.8 or later.

If you have never logged in there from this computer, do so once in a terminal and compare the fingerprint: a host that is not known is not trusted.</source>
        <translation>测试期间，本机会像 ssh 一样自行登录那里：用您的密钥，不会询问。那台主机只借出套接字：不会安装任何东西，也不会留下任何东西。它需要 Python 3.8 或更新版本。

如果从未在本机登录过那里，请先在终端里登录一次并核对指纹：未知的主机不受信任。</translation>
    </message>
    <message>
        <source>This computer does not seem to stand there. Open this project in Hopwise on a computer that does, and bring its result here on the Test page.</source>
        <translation>本机似乎不在那里。请在位于那里的电脑上用 Hopwise 打开此项目，再到“测试”页把结果带回来。</translation>
    </message>
    <message>
        <source>Enter the user name and the password to test from this relay.</source>
        <translation>请输入用户名和密码，以便从这个中继测试。</translation>
    </message>
</context>
<context>
    <name>PlotView</name>
    <message>
        <source>loss so far: {loss} %</source>
        <translation>目前丢包：{loss} %</translation>
    </message>
</context>
<context>
    <name>PortTable</name>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Protocol</source>
        <translation>协议</translation>
    </message>
    <message>
        <source>Outside</source>
        <translation>外部</translation>
    </message>
    <message>
        <source>Behind {hop}</source>
        <translation>“{hop}”之后</translation>
    </message>
    <message>
        <source>Speaks</source>
        <translation>应答协议</translation>
    </message>
    <message>
        <source>Path</source>
        <translation>路径</translation>
    </message>
    <message>
        <source>What the port is for, in your own words</source>
        <translation>这个端口的用途，用您自己的话写</translation>
    </message>
    <message>
        <source>udp or tcp: a rule for one does nothing for the other</source>
        <translation>udp 或 tcp：一种的规则对另一种不起作用</translation>
    </message>
    <message>
        <source>The port or range that clients use, as 8172 or 10000-10100</source>
        <translation>客户端使用的端口或范围，例如 8172 或 10000-10100</translation>
    </message>
    <message>
        <source>The numbers that {hop} changes them to; empty if it leaves them as they are</source>
        <translation>“{hop}”把端口号改成什么；不改则留空</translation>
    </message>
    <message>
        <source>What your service answers here, if Hopwise may ask it; empty if you are not sure</source>
        <translation>您的服务在此应答的协议（如果允许 Hopwise 询问）；不确定则留空</translation>
    </message>
    <message>
        <source>For http and ws: what to ask for, as /ws</source>
        <translation>用于 http 和 ws：请求的路径，例如 /ws</translation>
    </message>
</context>
<context>
    <name>PortsPage</name>
    <message>
        <source>Which ports must get through?</source>
        <translation>哪些端口必须通过？</translation>
    </message>
    <message>
        <source>One line for each port or range. Where a hop changes the numbers, say to what.</source>
        <translation>每个端口或范围一行。如果某一跳会改变端口号，请写明改成什么。</translation>
    </message>
    <message>
        <source>Fr&amp;om where</source>
        <translation>从哪里(&amp;O)</translation>
    </message>
    <message>
        <source>Ports</source>
        <translation>端口</translation>
    </message>
    <message>
        <source>&amp;Add a port</source>
        <translation>添加端口(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Remove</source>
        <translation>移除(&amp;R)</translation>
    </message>
    <message>
        <source>Take this line out (Ctrl+Delete). Ctrl+Z brings it back.</source>
        <translation>移除这一行（Ctrl+Delete）。按 Ctrl+Z 可恢复。</translation>
    </message>
    <message>
        <source>Speaks is what your running service answers on a port. Where it is empty, only the responder that you start on the service&apos;s host can prove the port open.</source>
        <translation>“应答协议”是指您的服务运行时在端口上应答什么。如果留空，就只有您在服务主机上启动的应答程序能证实端口畅通。</translation>
    </message>
    <message numerus="yes">
        <source>%n port(s) in all</source>
        <translation>
            <numerusform>共 %n 个端口</numerusform>
        </translation>
    </message>
    <message>
        <source>✖ There is nothing to test yet. Add a port.</source>
        <translation>✖ 还没有可测试的内容。请添加端口。</translation>
    </message>
    <message>
        <source>Line {number}, {column}: </source>
        <translation>第 {number} 行，{column}：</translation>
    </message>
    <message>
        <source>Line {number}: </source>
        <translation>第 {number} 行：</translation>
    </message>
</context>
<context>
    <name>PracticeFaults</name>
    <message>
        <source>Practice: break something</source>
        <translation>练习：弄坏点什么</translation>
    </message>
    <message>
        <source>Nothing leaves this computer. Make a fault, test, see which hop is named, and mend it again.</source>
        <translation>一切都在本机上进行。制造一个故障，测试，看看指出的是哪一跳，再修好它。</translation>
    </message>
</context>
<context>
    <name>ProblemsDialog</name>
    <message>
        <source>This file cannot be used as it is</source>
        <translation>这个文件目前无法使用</translation>
    </message>
    <message numerus="yes">
        <source>%n thing(s) are wrong with this file</source>
        <translation>
            <numerusform>这个文件有 %n 处问题</numerusform>
        </translation>
    </message>
    <message>
        <source>&amp;Open it and mend it here</source>
        <translation>打开并在这里修改(&amp;O)</translation>
    </message>
    <message>
        <source>&amp;Close</source>
        <translation>关闭(&amp;C)</translation>
    </message>
</context>
<context>
    <name>Rail</name>
    <message>
        <source>Your service</source>
        <translation>您的服务</translation>
    </message>
    <message>
        <source>Path</source>
        <translation>路径</translation>
    </message>
    <message>
        <source>Ports</source>
        <translation>端口</translation>
    </message>
    <message>
        <source>From where</source>
        <translation>从哪里</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>测试</translation>
    </message>
    <message>
        <source>Fix</source>
        <translation>解决</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>报告</translation>
    </message>
    <message>
        <source>Alt+{number}</source>
        <translation>Alt+{number}</translation>
    </message>
    <message>
        <source>done</source>
        <translation>已完成</translation>
    </message>
    <message>
        <source>needs mending</source>
        <translation>需要修改</translation>
    </message>
</context>
<context>
    <name>ReportPage</name>
    <message>
        <source>What can I keep, or show to others?</source>
        <translation>哪些可以保存，或给别人看？</translation>
    </message>
    <message>
        <source>The verdict with its evidence. Names and addresses can be left out.</source>
        <translation>结论及其依据。名称和地址可以隐去。</translation>
    </message>
    <message>
        <source>&amp;Leave out addresses and names</source>
        <translation>隐去地址和名称(&amp;L)</translation>
    </message>
    <message>
        <source>Each is replaced by a word that stays the same throughout, so that others can still follow.</source>
        <translation>每一个都换成前后一致的代称，别人仍然看得懂。</translation>
    </message>
    <message>
        <source>Save as &amp;PDF…</source>
        <translation>保存为 PDF(&amp;P)…</translation>
    </message>
    <message>
        <source>Save as &amp;JSON…</source>
        <translation>保存为 JSON(&amp;J)…</translation>
    </message>
    <message>
        <source>Save as &amp;Markdown…</source>
        <translation>保存为 Markdown(&amp;M)…</translation>
    </message>
    <message>
        <source>&amp;Copy for a forum post</source>
        <translation>复制到论坛帖子(&amp;C)</translation>
    </message>
    <message>
        <source>Preview of the report</source>
        <translation>报告预览</translation>
    </message>
    <message>
        <source>Saved as {path}</source>
        <translation>已保存为 {path}</translation>
    </message>
    <message>
        <source>Copied.</source>
        <translation>已复制。</translation>
    </message>
</context>
<context>
    <name>RouterAnswers</name>
    <message>
        <source>No router was found on any network of this computer.</source>
        <translation>在这台电脑的网络里没有找到路由器。</translation>
    </message>
    <message>
        <source>{made} of {count} mappings made</source>
        <translation>{count} 条映射中建立了 {made} 条</translation>
    </message>
    <message>
        <source>{address} on {interface}</source>
        <translation>{interface} 上的 {address}</translation>
    </message>
    <message>
        <source>{router}, on the default route</source>
        <translation>{router}，默认路由</translation>
    </message>
    <message>
        <source>Outer (WAN) address: {address}</source>
        <translation>外侧（WAN）地址：{address}</translation>
    </message>
</context>
<context>
    <name>RouterPage</name>
    <message>
        <source>Does my router pass these ports on?</source>
        <translation>路由器转发这些端口了吗？</translation>
    </message>
    <message>
        <source>{router} answers, and can be asked to map what is missing.</source>
        <translation>{router} 有应答，可以请它映射缺少的端口。</translation>
    </message>
    <message>
        <source>Ask it, or enter the rules on its own pages, one after the other.</source>
        <translation>可以直接问它，也可以在它自己的页面上逐条填写规则。</translation>
    </message>
    <message>
        <source>No router answers to programs. The rules can be entered by hand.</source>
        <translation>没有路由器应答程序的询问。可以手工填写规则。</translation>
    </message>
    <message>
        <source>{router} answers.</source>
        <translation>{router} 有应答。</translation>
    </message>
    <message>
        <source>Test a&amp;gain</source>
        <translation>重新测试(&amp;G)</translation>
    </message>
    <message>
        <source>Ask the router</source>
        <translation>询问路由器</translation>
    </message>
    <message>
        <source>Looks for routers on the networks of this computer (UPnP, NAT-PMP, PCP) and reads their address and mappings. Nothing is changed.</source>
        <translation>在这台电脑的网络里寻找路由器（UPnP、NAT-PMP、PCP），读取它们的地址和映射，不作任何更改。</translation>
    </message>
    <message>
        <source>&amp;Ask the router</source>
        <translation>询问路由器(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Stop</source>
        <translation>停止(&amp;S)</translation>
    </message>
    <message>
        <source>A mapping &amp;lives</source>
        <translation>映射的期限(&amp;L)</translation>
    </message>
    <message>
        <source>By hand, on the router&apos;s own pages</source>
        <translation>在路由器自己的页面上手工填写</translation>
    </message>
    <message>
        <source>&amp;Router</source>
        <translation>路由器(&amp;R)</translation>
    </message>
    <message>
        <source>Address of the service&apos;s &amp;host</source>
        <translation>服务所在主机的地址(&amp;H)</translation>
    </message>
    <message>
        <source>The path does not say it.</source>
        <translation>路径里没有写明。</translation>
    </message>
    <message>
        <source>Speaking to the router…</source>
        <translation>正在与路由器通信…</translation>
    </message>
    <message>
        <source>&amp;Test</source>
        <translation>测试(&amp;T)</translation>
    </message>
    <message>
        <source>Asking…</source>
        <translation>正在询问…</translation>
    </message>
    <message>
        <source>Mapping…</source>
        <translation>正在映射…</translation>
    </message>
    <message>
        <source>&amp;Map the missing ports…</source>
        <translation>映射缺少的端口(&amp;M)…</translation>
    </message>
    <message>
        <source>one hour</source>
        <translation>一小时</translation>
    </message>
    <message>
        <source>one day</source>
        <translation>一天</translation>
    </message>
    <message>
        <source>one week</source>
        <translation>一周</translation>
    </message>
    <message>
        <source>for good</source>
        <translation>长期</translation>
    </message>
    <message>
        <source>This is no IP address</source>
        <translation>这不是 IP 地址</translation>
    </message>
    <message>
        <source>Each lives: {time}</source>
        <translation>期限：{time}</translation>
    </message>
    <message>
        <source>Map the ports</source>
        <translation>映射端口</translation>
    </message>
    <message>
        <source>Ask {router} at {address} to pass these ports on from the internet?</source>
        <translation>请位于 {address} 的 {router} 转发来自互联网的这些端口吗？</translation>
    </message>
    <message>
        <source>&amp;Map them</source>
        <translation>映射(&amp;M)</translation>
    </message>
    <message>
        <source>&amp;Cancel</source>
        <translation>取消(&amp;C)</translation>
    </message>
</context>
<context>
    <name>RuleRow</name>
    <message>
        <source>Check</source>
        <translation>检查</translation>
    </message>
    <message>
        <source>Checking…</source>
        <translation>正在检查…</translation>
    </message>
</context>
<context>
    <name>RuleRows</name>
    <message>
        <source>And {count} more, one for each port.</source>
        <translation>另有 {count} 条，每个端口一条。</translation>
    </message>
</context>
<context>
    <name>ServerListCard</name>
    <message>
        <source>&amp;Add</source>
        <translation>添加(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Paste a list</source>
        <translation>粘贴列表(&amp;P)</translation>
    </message>
    <message>
        <source>From a &amp;file…</source>
        <translation>从文件(&amp;F)…</translation>
    </message>
    <message>
        <source>Cop&amp;y the list</source>
        <translation>复制列表(&amp;Y)</translation>
    </message>
    <message>
        <source>D&amp;uplicate</source>
        <translation>复制一份(&amp;U)</translation>
    </message>
    <message>
        <source>Move up</source>
        <translation>上移</translation>
    </message>
    <message>
        <source>Move down</source>
        <translation>下移</translation>
    </message>
    <message>
        <source>&amp;Remove</source>
        <translation>移除(&amp;R)</translation>
    </message>
    <message>
        <source>An iceServers block, a piece of JavaScript, JSON, a turnserver.conf, or addresses.</source>
        <translation>iceServers 段落、JavaScript 片段、JSON、turnserver.conf 或地址均可。</translation>
    </message>
    <message>
        <source>As JSON, without credentials</source>
        <translation>存为 JSON，不含凭据</translation>
    </message>
    <message>
        <source>As JavaScript, without credentials</source>
        <translation>存为 JavaScript，不含凭据</translation>
    </message>
    <message>
        <source>The chosen one as turnserver.conf, without credentials</source>
        <translation>选中的服务器，turnserver.conf 格式，不含凭据</translation>
    </message>
    <message>
        <source>Servers to test</source>
        <translation>要测试的服务器</translation>
    </message>
    <message>
        <source>Addresses, &amp;one on each line</source>
        <translation>地址，每行一个(&amp;O)</translation>
    </message>
    <message>
        <source>For example stun:198.51.100.7:3478 or turn:198.51.100.7:3478?transport=tcp</source>
        <translation>例如 stun:198.51.100.7:3478 或 turn:198.51.100.7:3478?transport=tcp</translation>
    </message>
    <message>
        <source>&amp;Credentials</source>
        <translation>凭据(&amp;C)</translation>
    </message>
    <message>
        <source>Address of the &amp;web service</source>
        <translation>网络服务的地址(&amp;W)</translation>
    </message>
    <message>
        <source>It gives user name and password.</source>
        <translation>它给出用户名和密码。</translation>
    </message>
    <message>
        <source>a new server</source>
        <translation>新服务器</translation>
    </message>
    <message>
        <source>User name and password</source>
        <translation>用户名和密码</translation>
    </message>
    <message>
        <source>Shared secret of the server (use-auth-secret)</source>
        <translation>服务器的共享密钥（use-auth-secret）</translation>
    </message>
    <message>
        <source>From a web service</source>
        <translation>来自网络服务</translation>
    </message>
    <message>
        <source>User &amp;name</source>
        <translation>用户名(&amp;N)</translation>
    </message>
    <message>
        <source>kept already</source>
        <translation>已保存</translation>
    </message>
    <message>
        <source>The credentials in use end at {when}.</source>
        <translation>当前使用的凭据在 {when} 失效。</translation>
    </message>
    <message>
        <source>May be left empty.</source>
        <translation>可以留空。</translation>
    </message>
    <message>
        <source>Pass&amp;word</source>
        <translation>密码(&amp;W)</translation>
    </message>
    <message>
        <source>&amp;Shared secret</source>
        <translation>共享密钥(&amp;S)</translation>
    </message>
    <message>
        <source>static-auth-secret of the server; credentials for a day are made from it.</source>
        <translation>服务器的 static-auth-secret；由它生成一天有效的凭据。</translation>
    </message>
    <message>
        <source>&amp;Token of the web service</source>
        <translation>网络服务的令牌(&amp;T)</translation>
    </message>
    <message>
        <source>Passwords are kept in the keyring of this computer, and sent to their server only.</source>
        <translation>密码保存在本机的密钥环中，只发送给对应的服务器。</translation>
    </message>
    <message>
        <source>The keyring is locked: passwords are kept in memory until Hopwise is closed.</source>
        <translation>密钥环已锁定：密码只保留在内存中，直到 Hopwise 关闭。</translation>
    </message>
    <message>
        <source>No keyring can be used: passwords are kept in memory until Hopwise is closed.</source>
        <translation>没有可用的密钥环：密码只保留在内存中，直到 Hopwise 关闭。</translation>
    </message>
</context>
<context>
    <name>ServicePage</name>
    <message>
        <source>What do you host?</source>
        <translation>您架设的是什么？</translation>
    </message>
    <message>
        <source>Check the name and the address, or begin with something else below.</source>
        <translation>请核对名称和地址，或在下面换一种方式开始。</translation>
    </message>
    <message>
        <source>Choose your service, and Hopwise knows its ports and a usual path to it.</source>
        <translation>选择您的服务，Hopwise 就知道它的端口和常见的路径。</translation>
    </message>
    <message>
        <source>&amp;Path</source>
        <translation>路径(&amp;P)</translation>
    </message>
    <message>
        <source>The project that is open</source>
        <translation>当前项目</translation>
    </message>
    <message>
        <source>&amp;Name</source>
        <translation>名称(&amp;N)</translation>
    </message>
    <message>
        <source>&amp;Address that people outside use</source>
        <translation>外面的人使用的地址(&amp;A)</translation>
    </message>
    <message>
        <source>The public IP address, or a DNS name.</source>
        <translation>公网 IP 地址或域名。</translation>
    </message>
    <message>
        <source>Addresses that the service announces, one on each line</source>
        <translation>服务对外通告的地址，每行一个</translation>
    </message>
    <message>
        <source>Leave it empty if your service has no such setting.</source>
        <translation>如果您的服务没有这项设置，请留空。</translation>
    </message>
    <message>
        <source>Or begin in another way</source>
        <translation>或者换一种方式开始</translation>
    </message>
    <message>
        <source>Address that people ou&amp;tside use</source>
        <translation>外面的人使用的地址(&amp;T)</translation>
    </message>
    <message>
        <source>for example chat.example.org or 203.0.113.20</source>
        <translation>例如 chat.example.org 或 203.0.113.20</translation>
    </message>
    <message>
        <source>&amp;Use this service</source>
        <translation>使用这个服务(&amp;U)</translation>
    </message>
    <message>
        <source>Services</source>
        <translation>服务列表</translation>
    </message>
    <message>
        <source>&amp;Open a project file…</source>
        <translation>打开项目文件(&amp;O)…</translation>
    </message>
    <message>
        <source>A .toml file that you saved or were given.</source>
        <translation>您保存过或别人给您的 .toml 文件。</translation>
    </message>
    <message>
        <source>&amp;Just test a STUN or TURN server</source>
        <translation>只测试 STUN 或 TURN 服务器(&amp;J)</translation>
    </message>
    <message>
        <source>Does it answer, and if not, why?</source>
        <translation>它有没有应答？如果没有，为什么？</translation>
    </message>
    <message>
        <source>P&amp;ractice network</source>
        <translation>练习网络(&amp;R)</translation>
    </message>
    <message>
        <source>On this computer only, with faults to find.</source>
        <translation>只在本机上，有故障等您查找。</translation>
    </message>
    <message>
        <source>From confi&amp;guration files…</source>
        <translation>从配置文件开始(&amp;G)…</translation>
    </message>
    <message>
        <source>Compose files, frpc.toml, firewall rules: the path is built of what they say.</source>
        <translation>Compose 文件、frpc.toml、防火墙规则：按它们的内容生成路径。</translation>
    </message>
    <message>
        <source>Begin with another service</source>
        <translation>从另一个服务开始</translation>
    </message>
    <message>
        <source>Services that Hopwise knows</source>
        <translation>Hopwise 认识的服务</translation>
    </message>
    <message>
        <source>Where its ports are documented: {link}</source>
        <translation>端口说明见：{link}</translation>
    </message>
    <message>
        <source>Enter the public IP address or the DNS name, without a port and without https://</source>
        <translation>请输入公网 IP 地址或域名，不带端口，也不带 https://</translation>
    </message>
</context>
<context>
    <name>TestPage</name>
    <message>
        <source>Can people outside reach it?</source>
        <translation>外面的人能连上吗？</translation>
    </message>
    <message>
        <source>The test could not be carried out: {reason}</source>
        <translation>测试无法进行：{reason}</translation>
    </message>
    <message>
        <source>Testing…</source>
        <translation>正在测试…</translation>
    </message>
    <message numerus="yes">
        <source>Not tested yet. %n port(s) will be probed.</source>
        <translation>
            <numerusform>尚未测试。将探测 %n 个端口。</numerusform>
        </translation>
    </message>
    <message>
        <source>Testing… {done} of {planned} probes are decided.</source>
        <translation>正在测试… {planned} 个探测中已有 {done} 个有结果。</translation>
    </message>
    <message>
        <source>{verdict} The project has been edited since: test again.</source>
        <translation>{verdict}此后项目已修改，请重新测试。</translation>
    </message>
    <message>
        <source>{verdict} Each change shows at once.</source>
        <translation>{verdict}变化会立即显示。</translation>
    </message>
    <message>
        <source>{verdict} The test was stopped early.</source>
        <translation>{verdict}测试被提前停止。</translation>
    </message>
    <message>
        <source>Watched since {time}</source>
        <translation>自 {time} 起监视</translation>
    </message>
    <message>
        <source>{seconds} s · {probes} probes</source>
        <translation>{seconds} 秒 · {probes} 个探测</translation>
    </message>
    <message numerus="yes">
        <source>%n place(s)</source>
        <translation>
            <numerusform>%n 个位置</numerusform>
        </translation>
    </message>
    <message>
        <source>&amp;Report</source>
        <translation>报告(&amp;R)</translation>
    </message>
    <message>
        <source>Fi&amp;x</source>
        <translation>解决(&amp;X)</translation>
    </message>
    <message>
        <source>&amp;Test</source>
        <translation>测试(&amp;T)</translation>
    </message>
    <message>
        <source>The path; arrow keys choose a hop</source>
        <translation>路径；用方向键选择一跳</translation>
    </message>
    <message>
        <source>Ports at each hop</source>
        <translation>各跳的端口</translation>
    </message>
    <message>
        <source>Progress of the test</source>
        <translation>测试进度</translation>
    </message>
    <message>
        <source>&amp;Watch while I fix it</source>
        <translation>边修边监视(&amp;W)</translation>
    </message>
    <message>
        <source>&amp;Log of every probe</source>
        <translation>每次探测的日志(&amp;L)</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>日志</translation>
    </message>
    <message>
        <source>Test a&amp;gain</source>
        <translation>重新测试(&amp;G)</translation>
    </message>
    <message>
        <source>Sto&amp;p</source>
        <translation>停止(&amp;P)</translation>
    </message>
    <message>
        <source>✖ As it stands, nothing can be sent: from the places that are named no hop has an address that can be reached. Give the first hop behind such a place an address, or name another place.</source>
        <translation>✖ 目前无法发送任何探测：从已指定的位置，没有哪一跳有可达的地址。请给这些位置之后的第一跳填写地址，或指定另一个位置。</translation>
    </message>
</context>
<context>
    <name>Window</name>
    <message>
        <source>no file yet</source>
        <translation>还没有文件</translation>
    </message>
    <message>
        <source>not saved</source>
        <translation>未保存</translation>
    </message>
    <message>
        <source>saved</source>
        <translation>已保存</translation>
    </message>
    <message>
        <source>&amp;Back</source>
        <translation>返回(&amp;B)</translation>
    </message>
    <message>
        <source>Alt+Left</source>
        <translation>Alt+左箭头</translation>
    </message>
</context>
</TS>
