package miniapp

import "tongxin/internal/httpkit"

// routes is the table of the member surface.
func routes(api *httpkit.Surface, i *info) {
	api.Get("/info", httpkit.Public, "服务信息", httpkit.Read(i.getInfo))
}
