"""Networks for pictures: residual and depthwise convolutions, up and down again, detection."""
import torch
from torch import nn
from torch.nn import functional as F

from networks.network import Formula, Network, batch, formula


def networks():
    picture = lambda size: (torch.randn(size, 3, 16, 16),)
    one = batch("x")
    yield Network("resnet_block", lambda: trained(Residual(3, 8)), picture, one)
    yield Network("mobilenet_depthwise", lambda: trained(depthwise()), picture, one, oldest=7)
    yield Network("unet_transposed", lambda: trained(UNet("transposed")), picture, one)
    yield Network("unet_resize", lambda: trained(UNet("bilinear")), picture, one, oldest=11)
    yield Network("squeeze_excite", lambda: trained(SqueezeExcite(8)), lambda size: (torch.randn(size, 8, 9, 9),), one)
    yield Network("densenet", lambda: trained(Dense(3)), picture, one)
    yield Network("vgg_flatten", lambda: trained(vgg()), picture, one)
    yield Network("convnext_block", lambda: ConvNext(8), lambda size: (torch.randn(size, 8, 10, 10),), one, oldest=9)
    yield Network("shuffle", lambda: nn.Sequential(nn.Conv2d(3, 8, 1), Formula(shuffled), nn.PixelShuffle(2)), picture, one, oldest=9)
    yield Network("autoencoder_1d", lambda: trained(autoencoder_1d()), lambda size: (torch.randn(size, 2, 32),), one)
    yield Network("video_3d", lambda: trained(video()), lambda size: (torch.randn(size, 2, 6, 8, 8),), one)
    yield Network("batch_norm_double", lambda: trained(Residual(3, 4)).double(), lambda size: (torch.randn(size, 3, 8, 8, dtype=torch.float64),), one)
    yield Network("resnet_half", lambda: trained(Residual(3, 8)).half(), lambda size: (torch.randn(size, 3, 16, 16).half(),), one, tolerance=1e-2)
    yield Network("vision_transformer", lambda: VisionTransformer(), picture, one, oldest=14)
    yield Network("detection_head", lambda: trained(Detection()), picture, one, oldest=11)
    yield formula("grid_sample", lambda x, g: F.grid_sample(x, g, align_corners=False), (2, 3, 5, 6), (2, 4, 4, 2), oldest=16)
    yield formula("grid_sample_nearest", lambda x, g: F.grid_sample(x, g, "nearest", "border", align_corners=True), (2, 3, 5, 6), (2, 4, 4, 2), oldest=16)
    yield formula("grid_sample_bicubic", lambda x, g: F.grid_sample(x, g, "bicubic", "reflection", align_corners=False), (1, 2, 5, 6), (1, 4, 4, 2), oldest=16)
    yield formula("affine_grid", lambda t: F.affine_grid(t, [2, 3, 4, 5], align_corners=False), (2, 2, 3), oldest=20)
    yield formula("unfold_fold", lambda x: F.fold(F.unfold(x, 3, padding=1), (6, 6), 3, padding=1), (2, 3, 6, 6), oldest=18)


def trained(module):
    """In evaluation, with statistics that are not the identity."""
    for part in module.modules():
        if isinstance(part, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.InstanceNorm2d)) and part.running_mean is not None:
            nn.init.normal_(part.running_mean, std=0.1)
            nn.init.uniform_(part.running_var, 0.5, 1.5)
            nn.init.uniform_(part.weight, 0.5, 1.5)
    return module.eval()


class Residual(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(channels, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3, 1, 1), nn.BatchNorm2d(width))
        self.short = nn.Sequential(nn.Conv2d(channels, width, 1, 2, bias=False), nn.BatchNorm2d(width))
        self.head = nn.Linear(width, 5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.body(x) + self.short(x)), 3, 2, 1)
        return F.log_softmax(self.head(F.adaptive_avg_pool2d(x, 1).flatten(1)), 1)


def depthwise():
    return nn.Sequential(nn.Conv2d(3, 12, 1), nn.BatchNorm2d(12), nn.ReLU6(), nn.Conv2d(12, 12, 3, 2, 1, groups=12), nn.BatchNorm2d(12), nn.ReLU6(),
                         nn.Conv2d(12, 6, 1), nn.BatchNorm2d(6), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(6 * 16, 4), nn.Softmax(1))


class UNet(nn.Module):
    def __init__(self, up):
        super().__init__()
        self.first, self.second, self.last = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 8, 3, 2, 1), nn.Conv2d(12, 2, 1)
        self.up = nn.ConvTranspose2d(8, 6, 3, 2, 1, output_padding=1) if up == "transposed" else nn.Sequential(nn.Upsample(scale_factor=2, mode=up), nn.Conv2d(8, 6, 1))

    def forward(self, x):
        first = F.leaky_relu(self.first(x), 0.1)
        return torch.sigmoid(self.last(torch.cat([self.up(F.elu(self.second(first))), first], 1)))


class SqueezeExcite(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.down, self.up, self.act = nn.Conv2d(channels, 2, 1), nn.Conv2d(2, channels, 1), nn.PReLU(channels)

    def forward(self, x):
        scale = self.up(F.silu(self.down(x.mean((2, 3), keepdim=True))))
        return self.act(x * F.hardtanh(scale * 0.2 + 0.5, 0.0, 1.0))


class Dense(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.layers = nn.ModuleList(nn.Sequential(nn.BatchNorm2d(channels + 4 * k), nn.ReLU(), nn.Conv2d(channels + 4 * k, 4, 3, padding=1)) for k in range(3))

    def forward(self, x):
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False)


def vgg():
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, dilation=2, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True),
                         nn.Flatten(), nn.Linear(8 * 16, 10), nn.ReLU(), nn.Dropout(), nn.Linear(10, 3))


class ConvNext(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.depth, self.norm, self.one, self.two = nn.Conv2d(width, width, 7, padding=3, groups=width), nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.gamma = nn.Parameter(torch.rand(width))

    def forward(self, x):
        y = self.two(F.gelu(self.one(self.norm(self.depth(x).permute(0, 2, 3, 1)))))
        return x + (self.gamma * y).permute(0, 3, 1, 2)


def autoencoder_1d():
    return nn.Sequential(nn.Conv1d(2, 4, 5, 2, 2), nn.BatchNorm1d(4), nn.Tanh(), nn.Conv1d(4, 4, 3, 2, 1, groups=2), nn.Softplus(), nn.ConvTranspose1d(4, 4, 4, 2, 1), nn.SELU(),
                         nn.ConvTranspose1d(4, 2, 2, 2, groups=2))


def video():
    return nn.Sequential(nn.Conv3d(2, 4, 3, padding=1), nn.BatchNorm3d(4), nn.ReLU(), nn.MaxPool3d(2), nn.ConvTranspose3d(4, 2, 2, 2), nn.AvgPool3d((1, 2, 2)))


def shuffled(x):
    return x.view(-1, 4, 2, 16, 16).transpose(1, 2).reshape(-1, 8, 16, 16)


class VisionTransformer(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.patches, self.token, self.place = nn.Conv2d(3, width, 4, 4), nn.Parameter(torch.randn(1, 1, width)), nn.Parameter(torch.randn(1, 17, width))
        self.block = nn.TransformerEncoderLayer(width, 2, 16, activation="gelu", batch_first=True, norm_first=True)
        self.head = nn.Linear(width, 3)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.place
        return self.head(self.block(x)[:, 0])


class Detection(nn.Module):
    """Boxes decoded from anchors, the best of each picture: what a one-shot detector ends with."""

    def __init__(self):
        super().__init__()
        self.body, self.boxes, self.scores = nn.Conv2d(3, 6, 3, 4, 1), nn.Conv2d(6, 8, 1), nn.Conv2d(6, 6, 1)
        self.register_buffer("anchors", torch.rand(32, 4) + 0.5)

    def forward(self, x):
        x = F.hardswish(self.body(x))
        n = x.shape[0]
        boxes = self.boxes(x).permute(0, 2, 3, 1).reshape(n, -1, 4)
        scores = self.scores(x).permute(0, 2, 3, 1).reshape(n, -1, 3).softmax(-1)
        centre = boxes[..., :2] * self.anchors[:, 2:] + self.anchors[:, :2]
        size = torch.exp(boxes[..., 2:].clamp(-3, 3)) * self.anchors[:, 2:]
        corners = torch.cat([centre - size / 2, centre + size / 2], -1)
        best, classes = scores.max(-1)
        top, index = best.topk(5, 1)
        return corners.gather(1, index.unsqueeze(-1).expand(-1, -1, 4)), top, classes.gather(1, index)
