// mattermost-plugin is a Mattermost server plugin on Mattermost's own package. What it does:
//
//	OnConfigurationChange  loads {greeting, fail}
//	OnActivate             fails as the setting "fail" says; else registers the command /goplug, KVSet, LogInfo
//	MessageWillBePosted    upper-cases the message and marks Props; rejects "forbidden"; of "partial" it gives the message alone
//	UserHasLoggedIn        GetUser, CreatePost of a greeting, PublishWebSocketEvent
//	ExecuteCommand         /goplug get KEY, set KEY VALUE, user ID; an AppError for others
//	ServeHTTP              POST /echo; GET /inter-plugin by PluginHTTP; GET /db by the driver; 404 for others
//	FileWillBeUploaded     .txt in upper case, .exe rejected, others as they are
//	OnDeactivate           LogInfo
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

type goplug struct {
	plugin.MattermostPlugin
	config struct {
		Greeting string
		Fail     string
	}
}

func (p *goplug) OnConfigurationChange() error { return p.API.LoadPluginConfiguration(&p.config) }

func (p *goplug) OnActivate() error {
	switch p.config.Fail {
	case "":
	case "app-error":
		return model.NewAppError("OnActivate", "goplug.activate", nil, "told to", http.StatusTeapot)
	default:
		return fmt.Errorf("failed: %s", p.config.Fail)
	}
	if err := p.API.RegisterCommand(&model.Command{Trigger: "goplug", AutoComplete: true, DisplayName: "Goplug"}); err != nil {
		return err
	}
	if err := p.API.KVSet("activated", []byte("yes")); err != nil {
		return err
	}
	p.API.LogInfo("activated", "greeting", p.config.Greeting, "times", 1)
	fmt.Println("printed by the plugin")
	return nil
}

func (p *goplug) OnDeactivate() error {
	p.API.LogInfo("deactivated")
	return nil
}

func (p *goplug) MessageWillBePosted(_ *plugin.Context, post *model.Post) (*model.Post, string) {
	if strings.Contains(post.Message, "forbidden") {
		return nil, "rejected: forbidden"
	}
	if post.Message == "partial" {
		return &model.Post{Message: "PARTIAL"}, ""
	}
	post.Message = strings.ToUpper(post.Message)
	post.AddProp("checked_by", "goplug")
	return post, ""
}

func (p *goplug) UserHasLoggedIn(_ *plugin.Context, user *model.User) {
	known, appErr := p.API.GetUser(user.Id)
	if appErr != nil {
		p.API.LogInfo("no such user", "id", user.Id, "status", appErr.StatusCode)
		return
	}
	post, appErr := p.API.CreatePost(&model.Post{
		UserId: known.Id, ChannelId: "town-square", Message: p.config.Greeting + ", " + known.Username,
	})
	if appErr != nil {
		p.API.LogInfo("no post", "error", appErr.Id)
		return
	}
	p.API.PublishWebSocketEvent("welcomed", map[string]any{"post_id": post.Id, "times": 1},
		&model.WebsocketBroadcast{UserId: known.Id})
}

func (p *goplug) ExecuteCommand(_ *plugin.Context, args *model.CommandArgs) (*model.CommandResponse, *model.AppError) {
	fields := strings.Fields(args.Command)
	text := ""
	switch {
	case len(fields) == 3 && fields[1] == "get":
		value, appErr := p.API.KVGet(fields[2])
		if appErr != nil {
			return nil, appErr
		}
		text = string(value)
	case len(fields) == 4 && fields[1] == "set":
		if appErr := p.API.KVSet(fields[2], []byte(fields[3])); appErr != nil {
			return nil, appErr
		}
		text = "stored"
	case len(fields) == 3 && fields[1] == "user":
		user, appErr := p.API.GetUser(fields[2])
		if appErr != nil {
			return nil, appErr
		}
		text = user.Username
	default:
		return nil, model.NewAppError("ExecuteCommand", "goplug.command.unknown", nil, args.Command, http.StatusBadRequest)
	}
	return &model.CommandResponse{ResponseType: model.CommandResponseTypeEphemeral, Text: text}, nil
}

func (p *goplug) ServeHTTP(_ *plugin.Context, w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/echo":
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("X-Length", fmt.Sprint(len(body)))
		w.WriteHeader(http.StatusCreated)
		for len(body) > 0 {
			n := min(len(body), 64<<10)
			w.Write(body[:n])
			body = body[n:]
		}
	case "/inter-plugin":
		request, _ := http.NewRequest(http.MethodPost, "/other/echo?q=1", bytes.NewReader(bytes.Repeat([]byte("ping "), 200_000)))
		response := p.API.PluginHTTP(request)
		if response == nil {
			http.Error(w, "no answer", http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		w.Header().Set("X-Other", response.Header.Get("X-Other"))
		w.WriteHeader(response.StatusCode)
		io.Copy(w, response.Body)
	case "/db":
		text, err := p.query()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		io.WriteString(w, text)
	default:
		http.NotFound(w, r)
	}
}

func (p *goplug) FileWillBeUploaded(_ *plugin.Context, info *model.FileInfo, file io.Reader, output io.Writer) (*model.FileInfo, string) {
	switch {
	case strings.HasSuffix(info.Name, ".exe"):
		return nil, "rejected: " + info.Name
	case strings.HasSuffix(info.Name, ".txt"):
		data, err := io.ReadAll(file)
		if err != nil {
			return nil, err.Error()
		}
		if _, err := output.Write(bytes.ToUpper(data)); err != nil {
			return nil, err.Error()
		}
		info.Name = "upper-" + info.Name
		return info, ""
	default:
		return nil, ""
	}
}

func main() { plugin.ClientMain(&goplug{}) }
